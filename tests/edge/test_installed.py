import pytest

from edge.bundle import Bundle
from edge.errors import BundleError, StateError
from edge.installed import FILE_NAME, accept, least_sequence, remember


def test_the_highest_sequence_of_each_name_stays(tmp_path):
    assert least_sequence(tmp_path, "mine") == 0
    for name, sequence in (("mine", 3), ("other", 9), ("mine", 7), ("mine", 5)):
        remember(tmp_path, name, sequence)
    assert (least_sequence(tmp_path, "mine"), least_sequence(tmp_path, "other")) == (7, 9)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"mine": "7"}', '{"mine": true}', "[" * 30_000])
def test_a_damaged_record_is_said_and_not_taken_for_none(content, tmp_path):
    (tmp_path / FILE_NAME).write_text(content)
    with pytest.raises(StateError, match=r"installed\.json"):
        least_sequence(tmp_path, "mine")


def test_an_older_bundle_is_not_accepted(tmp_path):
    def bundle(sequence):
        return Bundle(tmp_path / "b", "mine", "1", {}, sequence)

    accept(tmp_path, bundle(4))
    accept(tmp_path, bundle(4))
    accept(tmp_path, bundle(5))
    with pytest.raises(BundleError, match="its sequence 4 is older than 5"):
        accept(tmp_path, bundle(4))


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(StateError, match="cannot be written"):
        remember(tmp_path / "none", "mine", 1)
