"""Keys and signatures in minisign's format: what stock minisign makes is read, everything else refused in words."""

import base64
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medlora_setup.errors import Code, SetupError
from medlora_setup.minisign import PublicKey, Signature, verify
from tests.packaging_setup import toy

DATA = b'{"a":1}\n'
COMMENT = "product:medlora-edge serial:5"
TEXT = toy.KEY.sign(DATA, COMMENT)
PUBLIC = toy.KEY.public


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key pair and `file`, signed by the distribution's own program."""
    if shutil.which("minisign") is None:
        pytest.skip("stock minisign is not installed (Debian: apt-get install minisign)")
    folder = tmp_path_factory.mktemp("stock")
    (folder / "file").write_bytes(DATA)
    subprocess.run(["minisign", "-GW", "-p", "key.pub", "-s", "key"], cwd=folder, check=True, capture_output=True)
    command = ["minisign", "-S", "-s", "key", "-t", COMMENT, "-m", "file"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


def test_what_stock_minisign_signs_is_accepted(stock: Path) -> None:
    text = (stock / "key.pub").read_text()
    key = PublicKey.parse(text)
    assert verify(key, DATA, (stock / "file.minisig").read_text()) == COMMENT
    assert f" {key.key_id}\n" in text
    assert key.line in text


def test_a_number_that_begins_with_zero_is_printed_as_minisign_prints_it() -> None:
    assert PublicKey(bytes.fromhex("5AE7042494941204"), PUBLIC.point).key_id == "41294942404E75A"


def test_the_legacy_kind_of_stock_minisign_is_refused(stock: Path) -> None:
    command = ["minisign", "-Sl", "-s", "key", "-x", "legacy", "-m", "file"]
    subprocess.run(command, cwd=stock, check=True, capture_output=True)
    with pytest.raises(SetupError, match="legacy") as caught:
        verify(PublicKey.parse((stock / "key.pub").read_text()), DATA, (stock / "legacy").read_text())
    assert caught.value.code == Code.SIGNATURE


def test_a_key_is_read_from_its_file_or_its_line_alone() -> None:
    assert PublicKey.parse(f"untrusted comment: any\n{PUBLIC.line}\n") == PublicKey.parse(PUBLIC.line) == PUBLIC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        PUBLIC.line[:-1],
        PUBLIC.line + "A",
        f"comment\n{PUBLIC.line}\n",
        f"{PUBLIC.line}\n{PUBLIC.line}",
        "ä" * 56,
    ],
)
def test_text_that_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(SetupError, match="public key") as caught:
        PublicKey.parse(text)
    assert caught.value.code == Code.SIGNATURE


def test_a_key_of_another_kind_is_refused() -> None:
    with pytest.raises(SetupError, match="Ed25519"):
        PublicKey.parse(base64.b64encode(b"XX" + bytes(40)).decode())


def test_the_fingerprint_is_compared_as_people_type_it() -> None:
    assert len(PUBLIC.fingerprint.split()) == 8
    assert PUBLIC.has_fingerprint(f" {PUBLIC.fingerprint.upper().replace(' ', '-')} ")
    assert not PUBLIC.has_fingerprint(PUBLIC.fingerprint[:-1])
    assert not PUBLIC.has_fingerprint("")
    assert not toy.secret_key(2).public.has_fingerprint(PUBLIC.fingerprint)


def test_the_same_number_makes_no_other_key_trusted() -> None:
    other = PublicKey(PUBLIC.number, toy.secret_key(2).public.point)
    with pytest.raises(SetupError, match="does not fit"):
        verify(other, DATA, TEXT)


def _lines(**changes: str) -> str:
    names = ("untrusted", "signature", "trusted", "about")
    return "".join(changes.get(name, line) + "\n" for name, line in zip(names, TEXT.split("\n"), strict=False))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "four lines"),
        (TEXT[:-1], "four lines"),
        (TEXT + "\n", "four lines"),
        (TEXT.replace("\n", "\r\n"), "malformed"),
        (_lines(untrusted="comment: x"), "comment line"),
        (_lines(trusted="comment: x"), "comment line"),
        (_lines(trusted="trusted comment: edited"), "edited"),
        (_lines(trusted="trusted comment: \x1b[31m"), "control characters"),
        (_lines(trusted="trusted comment: " + "x" * 1025), "too long"),
        (_lines(signature="%%%%"), "base64"),
        (_lines(signature=base64.b64encode(b"XX" + bytes(72)).decode()), "kind"),
        (_lines(about=base64.b64encode(bytes(64)).decode()), "edited"),
        (_lines(about=base64.b64encode(bytes(63)).decode()), "64 bytes"),
    ],
)
def test_malformed_text_is_refused_with_the_reason(text: str, says: str) -> None:
    with pytest.raises(SetupError, match=says) as caught:
        verify(PUBLIC, DATA, text)
    assert caught.value.code == Code.SIGNATURE


def test_a_second_way_to_write_the_same_base64_is_refused() -> None:
    line = TEXT.split("\n")[3]
    assert line.endswith("==")
    other = line[:-3] + chr(ord(line[-3]) + 1) + "=="
    assert base64.b64decode(other) == base64.b64decode(line)
    with pytest.raises(SetupError, match="base64"):
        verify(PUBLIC, DATA, _lines(about=other))


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), st.binary().map(lambda data: data.decode("latin-1"))))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    for parse in (PublicKey.parse, Signature.parse):
        try:
            parse(text)
        except SetupError as error:
            assert error.code == Code.SIGNATURE
