"""A good bundle is verified in one pass, and what is handed on was checked."""

import os
import shutil
from pathlib import Path

import pytest

from medlora_setup.errors import Code, SetupError
from medlora_setup.manifest import Role
from medlora_setup.verify import MANIFEST, SIGNATURE, verify
from tests.packaging_setup import toy
from tests.packaging_setup.attempts import tree

KEY = toy.KEY.public


def test_a_good_bundle_is_taken_and_left_as_it_was(toy_bundle: Path) -> None:
    before = tree(toy_bundle)
    verified = verify(toy_bundle, KEY)
    assert verified.manifest.serial == 5
    assert verified.key == KEY
    assert verified.manifest_bytes == (toy_bundle / MANIFEST).read_bytes()
    assert verified.signature_text.encode() == (toy_bundle / SIGNATURE).read_bytes()
    assert [content.path for content in verified.contents["python"]] == ["python/bin/python3.11"]
    assert verified.place(Role.APP) == toy_bundle / "payload/app.tar.xz"
    assert tree(toy_bundle) == before


def test_progress_counts_every_byte_once(toy_bundle: Path) -> None:
    steps: list[tuple[int, int]] = []
    verified = verify(toy_bundle, KEY, on_progress=lambda done, total: steps.append((done, total)))
    total = sum(file.size for file in verified.manifest.files)
    assert steps[-1] == (total, total)
    assert steps == sorted(steps)


def test_every_file_is_opened_once(toy_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    real = os.open

    def noted(path: Path, flags: int) -> int:
        opened.append(str(path))
        return real(path, flags)

    monkeypatch.setattr(os, "open", noted)
    verified = verify(toy_bundle, KEY)
    monkeypatch.undo()
    small = str(toy_bundle / "payload/contents.json")
    times = {path: opened.count(path) for path in opened}
    assert times.pop(small) == 2  # hashed with all others, then read
    assert set(times.values()) == {1}
    assert len(times) == len(verified.manifest.files) + 1


def test_modes_and_times_of_the_stick_do_not_matter(toy_bundle: Path) -> None:
    for path in toy_bundle.rglob("*"):
        path.chmod(0o777)
        os.utime(path, (0, 0))
    verify(toy_bundle, KEY)


def test_a_path_with_spaces_and_other_letters(tmp_path: Path) -> None:
    place = tmp_path / "USB Stück ✓"
    verify(toy.build(place), KEY)


def test_a_read_only_stick(toy_bundle: Path) -> None:
    for path in (*toy_bundle.rglob("*"), toy_bundle):
        path.chmod(0o555 if path.is_dir() else 0o444)
    verify(toy_bundle, KEY)
    for path in (toy_bundle, *toy_bundle.rglob("*")):
        path.chmod(0o755)


def test_a_stick_that_changes_after_it_was_verified(toy_bundle: Path) -> None:
    verified = verify(toy_bundle, KEY)
    assert verified.read(Role.EXPECTED_TOKENS) == b"{}\n"
    (toy_bundle / "payload/expected_tokens.json").write_bytes(b"[]\n")
    with pytest.raises(SetupError, match="not those that were signed") as caught:
        verified.read(Role.EXPECTED_TOKENS)
    assert caught.value.code == Code.CORRUPT
    shutil.rmtree(toy_bundle)
    with pytest.raises(SetupError, match="missing"):
        verified.read(Role.EXPECTED_TOKENS)
