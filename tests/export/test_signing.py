"""Signing on the host, checking on the device: what a device opens, and what it refuses in one sentence."""

import datetime
import logging

import pytest

from edge.bundle import Output, open_bundle
from edge.errors import BundleError, ExportError, UsageError
from edge.trust import Trust, check_validity, load_trust
from export.bundle import ModelFiles, write_bundle
from export.cli import main
from export.signing import make_keys, sign

pytest.importorskip("cryptography")
MODEL = ModelFiles(
    kind="video", input_shape=(1, 8, 8, 3), outputs=(Output("video", 4, "v@1"),), frontend={"kind": "image"}, parity={},
    models={"litert": ("video.tflite", b"model")}, extra={})


@pytest.fixture
def keys(tmp_path):
    (tmp_path / "trusted").mkdir()
    pair = make_keys(tmp_path / "release")
    pair.public.rename(tmp_path / "trusted" / "release.pub")
    return pair.secret


@pytest.fixture
def bundle(tmp_path):
    write_bundle(tmp_path / "b", MODEL, name="mine", version="1")
    return tmp_path / "b"


@pytest.fixture
def trust(keys, tmp_path):
    return load_trust(tmp_path / "trusted")


def test_a_signed_bundle_is_opened(bundle, keys, trust):
    sign(bundle, keys, sequence=7, expires="2999-12-31")
    assert open_bundle(bundle, trust=trust, least_sequence=7).sequence == 7


def test_the_secret_key_is_its_owners_alone(keys):
    assert keys.stat().st_mode & 0o777 == 0o600


def test_signing_again_gives_the_same_bytes(bundle, keys):
    sign(bundle, keys, sequence=3)
    before = (bundle / "manifest.sig").read_bytes()
    sign(bundle, keys, sequence=3)
    assert (bundle / "manifest.sig").read_bytes() == before


def test_an_unsigned_bundle_is_refused_unless_allowed_loudly(bundle, trust, caplog):
    with pytest.raises(BundleError, match="is not signed; sign it with `roomtone-export sign`"):
        open_bundle(bundle, trust=trust)
    with caplog.at_level(logging.WARNING):
        open_bundle(bundle, trust=Trust({}, unsigned_allowed=True))
    assert "is NOT SIGNED and is opened all the same" in caplog.text


def test_allowing_unsigned_bundles_does_not_allow_wrong_signatures(bundle, keys):
    sign(bundle, keys)
    with pytest.raises(BundleError, match="not among the 0 trusted ones"):
        open_bundle(bundle, trust=Trust({}, unsigned_allowed=True))


def test_a_foreign_key_is_refused(bundle, trust, tmp_path):
    sign(bundle, make_keys(tmp_path / "stranger").secret)
    with pytest.raises(BundleError, match=r"signed with the key [0-9a-f]{16}\.\.\., which is not among the 1 trusted"):
        open_bundle(bundle, trust=trust)


def test_an_altered_manifest_is_refused_before_it_is_parsed(bundle, keys, trust):
    sign(bundle, keys)
    (bundle / "manifest.json").write_bytes(b"{" * 100_000)
    with pytest.raises(BundleError, match="the signature is not that of this manifest"):
        open_bundle(bundle, trust=trust)


def test_an_altered_file_is_refused(bundle, keys, trust):
    sign(bundle, keys)
    (bundle / "video.tflite").write_bytes(b"Model")
    with pytest.raises(BundleError, match=r"video\.tflite: altered"):
        open_bundle(bundle, trust=trust)
    with pytest.raises(ExportError, match="altered"):
        sign(bundle, keys)


def test_an_expired_bundle_is_refused(bundle, keys, trust):
    sign(bundle, keys, expires="2020-01-01")
    with pytest.raises(BundleError, match="expired on 2020-01-01"):
        open_bundle(bundle, trust=trust)


def test_an_older_bundle_is_refused(bundle, keys, trust):
    sign(bundle, keys, sequence=6)
    with pytest.raises(BundleError, match="its sequence 6 is older than 7"):
        open_bundle(bundle, trust=trust, least_sequence=7)


def test_the_last_day_still_counts(tmp_path):
    check_validity(tmp_path, expires="2030-06-01", sequence=0, least_sequence=0, today=datetime.date(2030, 6, 1),
                   error=BundleError)


@pytest.mark.parametrize("text", ["", "junk", "roomtone-ed25519 zz", "roomtone-ed25519 " + "ab" * 31, "\xff"])
def test_a_key_that_is_none(text, tmp_path):
    (tmp_path / "bad.pub").write_text(text, encoding="latin-1")
    with pytest.raises(UsageError, match=r"bad\.pub: not of the form `roomtone-ed25519 HEX`"):
        load_trust(tmp_path)


def test_keys_that_are_missing_or_in_the_way(tmp_path, bundle):
    with pytest.raises(UsageError, match="no such folder of trusted keys"):
        load_trust(tmp_path / "none")
    make_keys(tmp_path / "k")
    with pytest.raises(ExportError, match="exists; name another place"):
        make_keys(tmp_path / "k")
    with pytest.raises(ExportError, match="not a secret key"):
        sign(bundle, tmp_path / "k.pub")
    with pytest.raises(UsageError, match="is not a date"):
        sign(bundle, tmp_path / "k", expires="tomorrow")


def test_through_the_door(bundle, tmp_path, capfd):
    (tmp_path / "file").touch()
    assert main(["keygen", str(tmp_path / "file" / "k")]) == 1
    assert main(["keygen", str(tmp_path / "keys" / "k")]) == 0
    assert main(["verify", str(bundle), "--keys", str(tmp_path / "keys")]) == 1
    assert main(["sign", str(bundle), "--key", str(tmp_path / "keys" / "k"), "--sequence", "2"]) == 0
    assert main(["verify", str(bundle), "--keys", str(tmp_path / "keys")]) == 0
    assert "signature: trusted" in capfd.readouterr().out
