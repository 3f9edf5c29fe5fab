"""Pictures for calibration: what is no whole picture is one sentence that names it."""

import numpy as np
import pytest

from edge.errors import MediaError
from edge.video.opencv import opencv
from export.quantize.readers import PictureReader


@pytest.fixture
def picture(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    path = tmp_path / "a.png"
    path.write_bytes(opencv().imencode(".png", image)[1].tobytes())
    return path


def read(path):
    return PictureReader((1, 24, 32, 3), mean=[0.0] * 3, std=[1.0] * 3).read(path)


def test_a_picture_comes_as_it_is(picture):
    image = opencv().imread(str(picture))[:, :, ::-1]
    np.testing.assert_allclose(read(picture)[0], image, atol=0.51)


def test_a_chunk_that_ends_behind_the_file_is_refused_before_room_is_made_for_it(picture):
    """OpenCV takes 5 s to make 3 GB of room for one of a file of 2 KB."""
    content = picture.read_bytes()
    at = content.index(b"IDAT") - 4
    picture.write_bytes(content[:at] + b"\xc8\x8e\x09\x23" + content[at + 4 :])
    with pytest.raises(MediaError, match=r"a\.png: not a whole picture: a chunk of 3364751651 bytes at byte 33 of"):
        read(picture)


def test_a_picture_that_was_cut_off_is_refused(picture):
    picture.write_bytes(picture.read_bytes()[:-20])
    with pytest.raises(MediaError, match="not a whole picture"):
        read(picture)


def test_no_picture_at_all(picture):
    picture.write_bytes(b"")
    with pytest.raises(MediaError, match="not a picture"):
        read(picture)
