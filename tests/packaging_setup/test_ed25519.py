"""The signature check against RFC 8032's vectors and against libsodium, and where it must be stricter than easy."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey

from medlora_setup import ed25519

# RFC 8032, section 7.1: TEST 1, 2, 3 and SHA(abc); public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe"
        "24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302a"
        "eeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed2"
        "8dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce8"
        "0e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac1"
        "7ad9bef1177331a704",
    ),
]
KEY = SigningKey(bytes(range(32)))
PUBLIC = bytes(KEY.verify_key)
MESSAGE = b"what was signed"
SIGNATURE = KEY.sign(MESSAGE).signature
# The eight points of small order in the encodings that libsodium lists, canonical or not.
SMALL = [
    bytes(32),
    (1).to_bytes(32, "little"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    (ed25519.P - 1).to_bytes(32, "little"),
    ed25519.P.to_bytes(32, "little"),
    (ed25519.P + 1).to_bytes(32, "little"),
]


def by_libsodium(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        crypto_sign_open(signature + message, public)
    except BadSignatureError:
        return False
    return True


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_vectors_of_the_standard(public: str, message: str, signature: str) -> None:
    key, text, value = (bytes.fromhex(part) for part in (public, message, signature))
    assert ed25519.verify(key, text, value)
    assert not ed25519.verify(key, text + b"x", value)


@settings(max_examples=30, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=300))
def test_what_libsodium_signs_is_accepted(seed: bytes, message: bytes) -> None:
    key = SigningKey(seed)
    assert ed25519.verify(bytes(key.verify_key), message, key.sign(message).signature)


@settings(max_examples=100, deadline=None)
@given(part=st.sampled_from(["public", "message", "signature"]), data=st.data())
def test_one_changed_bit_is_judged_as_libsodium_judges_it(part: str, data: st.DataObject) -> None:
    parts = {"public": PUBLIC, "message": MESSAGE, "signature": SIGNATURE}
    bit = data.draw(st.integers(0, len(parts[part]) * 8 - 1))
    changed = bytearray(parts[part])
    changed[bit // 8] ^= 1 << bit % 8
    parts[part] = bytes(changed)
    assert not ed25519.verify(public_key=parts["public"], message=parts["message"], signature=parts["signature"])
    assert not by_libsodium(**parts)


def test_an_s_above_the_order_is_refused() -> None:
    s = int.from_bytes(SIGNATURE[32:], "little") + ed25519.ORDER
    again = SIGNATURE[:32] + s.to_bytes(32, "little")
    assert not ed25519.verify(PUBLIC, MESSAGE, again)
    assert not by_libsodium(PUBLIC, MESSAGE, again)


@pytest.mark.parametrize("sign", [0, 0x80])
@pytest.mark.parametrize("small", SMALL)
def test_points_of_small_order_fit_no_message(small: bytes, sign: int) -> None:
    point = small[:31] + bytes([small[31] | sign])
    for signature in (SMALL[1] + bytes(32), SIGNATURE):
        assert not ed25519.verify(point, MESSAGE, signature)
    assert not ed25519.verify(PUBLIC, MESSAGE, point + SIGNATURE[32:])


@pytest.mark.parametrize("size", [0, 31, 33, 63, 65])
def test_other_lengths_are_refused(size: int) -> None:
    assert not ed25519.verify(PUBLIC, MESSAGE, bytes(size))
    assert not ed25519.verify(bytes(size), MESSAGE, SIGNATURE)


@settings(max_examples=50, deadline=None)
@given(public=st.binary(min_size=32, max_size=32), signature=st.binary(min_size=64, max_size=64))
def test_random_bytes_are_no_signature(public: bytes, signature: bytes) -> None:
    assert not ed25519.verify(public, MESSAGE, signature)
    assert not ed25519.verify(PUBLIC, MESSAGE, signature)
