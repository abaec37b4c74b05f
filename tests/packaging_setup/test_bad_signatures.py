"""Bundles that are signed by somebody else, not at all, in a refused way, or that are too old: exit 9 for all."""

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from medlora_bundle.secret_key import SecretKey
from medlora_setup.errors import Code
from medlora_setup.minisign import PublicKey
from medlora_setup.trust import Trust
from medlora_setup.verify import MANIFEST, SIGNATURE, verify
from tests.packaging_setup import toy
from tests.packaging_setup.attempts import TRUST, require_refusal

OTHER = toy.secret_key(2)
NEXT = toy.secret_key(3)


def refuse(bundle: Path, *says: str, trust: Trust = TRUST) -> None:
    require_refusal(bundle, *says, code=Code.SIGNATURE, trust=trust)


def change_line(bundle: Path, at: int, line: str) -> None:
    lines = (bundle / SIGNATURE).read_text().split("\n")
    lines[at] = line
    (bundle / SIGNATURE).write_text("\n".join(lines))


def resign(bundle: Path, comment: str) -> None:
    toy.sign_bytes(bundle, (bundle / MANIFEST).read_bytes(), comment)


def test_another_key(tmp_path: Path) -> None:
    bundle = toy.build(tmp_path / "bundle", key=OTHER)
    refuse(bundle, OTHER.public.key_id, toy.KEY.public.key_id)


def test_another_key_that_bears_the_same_number(tmp_path: Path) -> None:
    forger = SecretKey(OTHER.seed, PublicKey(toy.KEY.public.number, OTHER.public.point))
    refuse(toy.build(tmp_path / "bundle", key=forger), "does not fit")


def test_the_key_inside_the_bundle_is_not_believed(tmp_path: Path) -> None:
    bundle = toy.build(tmp_path / "bundle", key=OTHER)
    assert OTHER.public.line in (bundle / "keys/release.pub").read_text()
    refuse(bundle)


def test_a_legacy_signature_by_the_right_key(toy_bundle: Path) -> None:
    """Valid in minisign's older way: the manifest itself signed, not its BLAKE2b hash."""
    signature = SigningKey(toy.KEY.seed).sign((toy_bundle / MANIFEST).read_bytes()).signature
    change_line(toy_bundle, 1, base64.b64encode(b"Ed" + toy.KEY.public.number + signature).decode())
    refuse(toy_bundle, "legacy")


def test_the_signature_of_another_bundle(toy_bundle: Path, tmp_path: Path) -> None:
    other = toy.build(tmp_path / "other", toy.Toy(serial=6))
    (other / SIGNATURE).replace(toy_bundle / SIGNATURE)
    refuse(toy_bundle, "does not fit")


def test_no_signature(toy_bundle: Path) -> None:
    (toy_bundle / SIGNATURE).unlink()
    refuse(toy_bundle, "no signature", "missing", SIGNATURE)


def test_a_signature_that_is_a_link(toy_bundle: Path) -> None:
    (toy_bundle / SIGNATURE).rename(toy_bundle.parent / "elsewhere")
    (toy_bundle / SIGNATURE).symlink_to(toy_bundle.parent / "elsewhere")
    refuse(toy_bundle, "no signature", SIGNATURE)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "four lines"),
        (b"\xff\xfe" * 50, "not UTF-8"),
        (b"x" * 5000, "more than 4096 bytes"),
        (b"\n\n\n\n", "comment line"),
        (b"-----BEGIN PGP SIGNATURE-----\n", "four lines"),
        (bytes(300), "four lines"),
    ],
)
def test_a_signature_file_with_something_else_in_it(toy_bundle: Path, data: bytes, says: str) -> None:
    (toy_bundle / SIGNATURE).write_bytes(data)
    refuse(toy_bundle, says)


@pytest.mark.parametrize(
    ("at", "line", "says"),
    [
        (0, "no comment", "comment line"),
        (1, "", "base64"),
        (1, "!" * 100, "base64"),
        (1, base64.b64encode(b"ED" + bytes(72)).decode(), "signed with the key 0, "),
        (1, base64.b64encode(b"ED" + toy.KEY.public.number + bytes(64)).decode(), "does not fit"),
        (1, base64.b64encode(b"RS" + bytes(72)).decode(), "of a kind that is not known"),
        (2, "trusted comment: product:medlora-edge serial:9 version:0.1.0 sha256:00", "edited"),
        (2, "trusted comment: ", "edited"),
        (3, base64.b64encode(bytes(64)).decode(), "edited"),
        (3, "", "base64"),
        (4, "more", "four lines"),
    ],
)
def test_an_edited_line(toy_bundle: Path, at: int, line: str, says: str) -> None:
    change_line(toy_bundle, at, line)
    refuse(toy_bundle, says)


@pytest.mark.parametrize(
    "change",
    [("serial:5", "serial:6"), ("medlora-edge", "other"), ("0.1.0", "0.2.0"), ("sha256:", "sha256:0"), (" ", "  ")],
)
def test_a_signed_comment_that_is_about_another_manifest(toy_bundle: Path, change: tuple[str, str]) -> None:
    comment = (toy_bundle / SIGNATURE).read_text().split("\n")[2].removeprefix("trusted comment: ")
    resign(toy_bundle, comment.replace(*change))
    refuse(toy_bundle, "trusted comment is for another manifest", change[1])


def test_an_older_serial(toy_bundle: Path) -> None:
    refuse(toy_bundle, "older than what was installed", "serial 5, at least 6", trust=replace(TRUST, lowest_serial=6))


def test_a_revoked_serial(toy_bundle: Path) -> None:
    refuse(toy_bundle, "serial 5 has been revoked", trust=replace(TRUST, revoked=(5,)))


def test_the_same_serial_may_come_again(toy_bundle: Path) -> None:
    assert verify(toy_bundle, toy.KEY.public, lowest_serial=5).manifest.serial == 5


def test_a_key_that_was_announced_is_trusted_and_said_to_be_the_one(tmp_path: Path) -> None:
    bundle = toy.build(tmp_path / "bundle", key=NEXT)
    verified = verify(bundle, toy.KEY.public, next_key=NEXT.public)
    assert verified.key == NEXT.public
    assert verify(toy.build(tmp_path / "old"), toy.KEY.public, next_key=NEXT.public).key == toy.KEY.public


def test_a_key_that_was_not_announced(tmp_path: Path) -> None:
    refuse(toy.build(tmp_path / "bundle", key=NEXT), NEXT.public.key_id)


def test_a_bundle_does_not_announce_its_own_key(tmp_path: Path) -> None:
    """What `next_key` says counts for the next bundle only, and only when this one is accepted."""
    refuse(toy.build(tmp_path / "bundle", toy.Toy(next_key=NEXT.public), key=NEXT), NEXT.public.key_id)


def test_a_manifest_with_one_number_changed(toy_bundle: Path) -> None:
    values = json.loads((toy_bundle / MANIFEST).read_bytes())
    text = json.dumps({**values, "serial": 6}, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
    (toy_bundle / MANIFEST).write_text(text)
    refuse(toy_bundle, "does not fit")
