import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.ed25519 import verifies

# RFC 8032, section 7.1: public key, message, signature.
VECTORS = [
    ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
     "655141438e7a100b"),
    ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
     "b00d291612bb0c00"),
    ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28d"
     "c027beceea1ec40a"),
]
ORDER = 2**252 + 27742317777372353535851937790883648493


@pytest.mark.parametrize(("key", "message", "signature"), VECTORS)
def test_vectors_of_the_rfc(key, message, signature):
    assert verifies(bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(signature))


@pytest.mark.parametrize(("key", "message", "signature"), VECTORS)
def test_any_flipped_bit_is_seen(key, message, signature):
    key, signature = bytes.fromhex(key), bytes.fromhex(signature)
    for position in (0, 7, 31, 32, 50, 63):
        altered = bytearray(signature)
        altered[position] ^= 4
        assert not verifies(key, bytes.fromhex(message), bytes(altered))
    assert not verifies(key, bytes.fromhex(message) + b"x", signature)
    assert not verifies(bytes([key[0] ^ 1]) + key[1:], bytes.fromhex(message), signature)


def test_a_response_beyond_the_groups_order_is_refused():
    key, message, signature = (bytes.fromhex(text) for text in VECTORS[0])
    larger = int.from_bytes(signature[32:], "little") + ORDER
    assert not verifies(key, message, signature[:32] + larger.to_bytes(32, "little"))


@settings(max_examples=15, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
def test_it_agrees_with_cryptography(seed, message):
    ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    key = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert verifies(public, message, signature)
    assert not verifies(public, message + b"\0", signature)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=70), st.binary(max_size=10), st.binary(max_size=70))
def test_any_bytes_at_all_are_answered(key, message, signature):
    assert verifies(key, message, signature) is False
