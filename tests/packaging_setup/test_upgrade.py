"""Upgrades: only forward, only with the trusted key, with the old version and its chats kept beside."""

import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from medlora_setup import machine, state
from medlora_setup.archive import Content
from medlora_setup.carried import Carried, write_carried
from medlora_setup.holding import held, setup_alone
from tests.packaging_setup import toy
from tests.packaging_setup.laptop import FINGERPRINT, Laptop, toy_of, tree

MODEL = "app/medlora_edge/shipped/tiny/tiny.gguf"
WITHOUT_MODEL = {"bin/medlora-edge": b"#!/bin/sh\n", "bin/medlora-setup": b"#!/bin/sh\n"}


@pytest.fixture(autouse=True)
def installed(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    assert laptop.install(5) == 0
    capsys.readouterr()


def refused(laptop: Laptop, bundle: Path, code: int) -> None:
    """The upgrade ends with this exit code and changes nothing."""
    before = tree(laptop.disk)
    assert laptop.setup("upgrade", bundle) == code
    assert tree(laptop.disk) == before


def test_the_new_version_starts_and_the_old_is_kept(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    assert laptop.upgrade(6) == 0
    assert laptop.says() == "0.6.0-6"
    assert "goes back to 0.5.0-5" in capsys.readouterr().out
    known = state.require(laptop.layout)
    assert (known.highest_serial, known.previous, set(known.versions)) == (6, "0.5.0-5", {"0.5.0-5", "0.6.0-6"})


def test_one_old_version_is_kept(laptop: Laptop) -> None:
    laptop.keep_chats(b"chats")
    for serial in (6, 7, 9):
        assert laptop.upgrade(serial) == 0
    assert {path.name for path in laptop.layout.versions.iterdir()} == {"0.7.0-7", "0.9.0-9"}
    assert {path.name for path in laptop.layout.backups.iterdir()} == {"0.7.0-7"}


def test_the_same_again_changes_nothing(laptop: Laptop) -> None:
    laptop.keep_chats(b"old")
    laptop.upgrade(6)
    laptop.keep_chats(b"new")
    before = tree(laptop.disk)
    assert laptop.upgrade(6) == 0
    assert tree(laptop.disk) == before


def test_an_older_serial(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    refused(laptop, laptop.bundle(4), 9)
    assert "older than what was installed" in capsys.readouterr().err


def test_a_serial_skipped_by_a_rollback_is_not_gone_back_to(laptop: Laptop) -> None:
    laptop.upgrade(7)
    laptop.setup("rollback", "--yes")
    refused(laptop, laptop.bundle(6), 9)
    assert laptop.upgrade(7) == 0


def test_another_bundle_with_the_same_serial(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    refused(laptop, toy.build(laptop.folder / "other", toy_of(5, expected_tokens=b"[]\n")), 9)
    assert "another bundle with serial 5" in capsys.readouterr().err
    refused(laptop, toy.build(laptop.folder / "renamed", toy_of(5, version="0.5.1")), 9)


def test_too_large_a_step(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    refused(laptop, laptop.bundle(9, min_upgrade_from=7), 9)
    assert "serial 7 to 8" in capsys.readouterr().err


def test_another_key(laptop: Laptop) -> None:
    refused(laptop, toy.build(laptop.folder / "forged", toy_of(6), toy.secret_key(2)), 9)


def test_the_next_key_takes_over_once_announced(laptop: Laptop) -> None:
    old, new = toy.secret_key(1), toy.secret_key(2)
    by_new = toy.build(laptop.folder / "by new", toy_of(7), new)
    refused(laptop, by_new, 9)
    assert laptop.setup("upgrade", laptop.bundle(6, next_key=new.public)) == 0
    assert state.require(laptop.layout).key == old.public.line
    assert laptop.setup("upgrade", by_new) == 0
    assert state.require(laptop.layout).key == new.public.line
    assert laptop.setup("status") == 0
    refused(laptop, toy.build(laptop.folder / "by old", toy_of(8), old), 9)
    assert laptop.setup("rollback", "--yes") == 0
    assert laptop.setup("status") == 0  # the older version's manifest is held against the key that signed it


def test_a_revoked_bundle(laptop: Laptop) -> None:
    assert laptop.setup("upgrade", laptop.bundle(6, revoked=(8,))) == 0
    refused(laptop, laptop.bundle(8), 9)


def test_a_damaged_bundle(laptop: Laptop) -> None:
    (laptop.bundle(6) / "payload" / "app.tar.xz").write_bytes(b"")
    refused(laptop, laptop.bundle(6), 3)


def test_a_program_that_fails_its_self_test(laptop: Laptop) -> None:
    program = b"#!/bin/sh\nexit 7\n"
    before = tree(laptop.layout.versions)
    assert laptop.setup("upgrade", laptop.bundle(6, app={"bin/medlora-edge": program})) == 7
    assert tree(laptop.layout.versions) == before
    assert laptop.says() == "0.5.0-5"


def test_the_chats_are_open(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    laptop.keep_chats(b"mine")
    with held(laptop.history / ".lock", "it", fix=""):
        refused(laptop, laptop.bundle(6), 8)
    assert "the chat history is in use by another process" in capsys.readouterr().err
    assert laptop.upgrade(6) == 0


def test_two_setups_at_once(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    with setup_alone(laptop.layout):
        refused(laptop, laptop.bundle(6), 8)
        assert laptop.setup("rollback", "--yes") == 2
        assert laptop.setup("uninstall") == 8
        assert laptop.install(5) == 8
    assert "this installation is in use by another process" in capsys.readouterr().err
    assert laptop.upgrade(6) == 0


def test_a_dead_setup_holds_nothing(laptop: Laptop) -> None:
    program = (
        "import sys; from pathlib import Path; from medlora_setup.holding import setup_alone\n"
        "from medlora_setup.layout import Layout\n"
        "with setup_alone(Layout(Path(sys.argv[1]))): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(laptop.layout.prefix)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        refused(laptop, laptop.bundle(6), 8)
        holder.kill()
        holder.wait()
    assert laptop.upgrade(6) == 0


def test_nothing_is_installed(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    laptop.setup("uninstall")
    assert laptop.upgrade(6) == 2
    assert "nothing is installed here" in capsys.readouterr().err
    assert not tree(laptop.disk)


def test_a_model_that_is_there_already_is_linked(laptop: Laptop) -> None:
    laptop.upgrade(6)
    old, new = (laptop.layout.version(name) / MODEL for name in ("0.5.0-5", "0.6.0-6"))
    assert old.samefile(new)


def test_a_damaged_model_is_not_linked(laptop: Laptop) -> None:
    old = laptop.layout.version("0.5.0-5") / MODEL
    content = old.read_bytes()
    old.write_bytes(bytes(len(content)))
    assert laptop.upgrade(6) == 0
    assert (laptop.layout.version("0.6.0-6") / MODEL).read_bytes() == content
    assert laptop.setup("status") == 0


def test_the_key_is_the_installed_one_even_for_verify(laptop: Laptop) -> None:
    assert laptop.setup("verify", laptop.bundle(6)) == 0
    assert laptop.setup("verify", laptop.bundle(4)) == 9
    assert laptop.setup("verify", laptop.bundle(4), "--key", FINGERPRINT) == 0


def test_a_model_that_the_new_bundle_does_not_bring_is_taken_along(laptop: Laptop) -> None:
    for serial in (6, 7):
        assert laptop.setup("upgrade", laptop.bundle(serial, app=WITHOUT_MODEL, models={})) == 0
    old, new = (laptop.layout.version(name) / MODEL for name in ("0.6.0-6", "0.7.0-7"))
    assert old.samefile(new)
    assert new.with_name("manifest.json").read_bytes() == b"{}\n"
    assert laptop.setup("status") == 0
    new.write_bytes(b"other")
    assert laptop.setup("status") == 3
    assert laptop.setup("uninstall") == 0
    assert not tree(laptop.disk)


def test_a_model_of_a_revoked_bundle_is_left_behind(laptop: Laptop) -> None:
    assert laptop.setup("upgrade", laptop.bundle(6, app=WITHOUT_MODEL, models={}, revoked=(5,))) == 0
    assert not (laptop.layout.version("0.6.0-6") / MODEL).exists()
    assert laptop.setup("status") == 0


def test_a_revoked_bundles_model_is_left_behind_after_any_number_of_upgrades(laptop: Laptop) -> None:
    assert laptop.setup("upgrade", laptop.bundle(6, app=WITHOUT_MODEL, models={"other": (b"GGUF",)})) == 0
    assert (laptop.layout.version("0.6.0-6") / MODEL).exists()
    assert laptop.setup("upgrade", laptop.bundle(7, app=WITHOUT_MODEL, models={}, revoked=(5,))) == 0
    shipped = (laptop.layout.version("0.7.0-7") / MODEL).parents[1]
    assert {path.name for path in shipped.iterdir()} == {".default", "other"}
    assert laptop.setup("status") == 0


def test_what_is_listed_as_taken_along_can_only_be_a_model(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    version = laptop.layout.version("0.5.0-5")
    (version / "app" / "y.py").write_text("import socket")
    listed = Content("app/y.py", 13, sha256(b"import socket").hexdigest(), 0o644)
    (version / "carried.json").write_bytes(write_carried([Carried("tiny", 4, (listed,))]))
    assert laptop.setup("status") == 3
    assert "a file lies outside the model's folder" in capsys.readouterr().out


def default_of(laptop: Laptop, name: str) -> str:
    """The model that the app of this version takes where its user chose none."""
    return (laptop.layout.version(name) / MODEL).parents[1].joinpath(".default").read_text()


def test_the_bundles_own_model_goes_before_one_taken_along(laptop: Laptop) -> None:
    brought = {"zeta": (b"GGUF zeta",), "alpha": (b"GGUF alpha",)}
    assert default_of(laptop, "0.5.0-5") == "tiny\n"
    assert laptop.setup("upgrade", laptop.bundle(6, models=brought, app=WITHOUT_MODEL)) == 0
    assert default_of(laptop, "0.6.0-6") == "zeta\n"
    assert laptop.setup("upgrade", laptop.bundle(7, models={}, app=WITHOUT_MODEL)) == 0
    assert default_of(laptop, "0.7.0-7") == "zeta\n"
    assert {path.name for path in (laptop.layout.version("0.7.0-7") / MODEL).parents[1].iterdir()} == {
        *(".default", "alpha", "tiny", "zeta")
    }
    assert laptop.setup("status") == 0


def test_what_was_taken_along_is_not_said_to_be_signed(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    laptop.setup("upgrade", laptop.bundle(6, app=WITHOUT_MODEL, models={}))
    capsys.readouterr()
    assert laptop.setup("status") == 0
    told = capsys.readouterr().out
    assert "every file of this bundle is as it was signed; 2 files taken along from an earlier bundle" in told
    assert "every installed file is as it was signed" not in told


def test_a_disk_with_room_for_all_but_the_linked_model(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine, "look_at_place", lambda folder: machine.Place(folder, 10 << 20, None))
    needs = replace(toy.PLATFORM, disk_min_mb=12)
    models = {"large": (bytes(3 << 20),)}
    refused(laptop, laptop.bundle(6, platform=needs, models=models, app=WITHOUT_MODEL), 4)
    assert "the disk has 10 MiB free at" in capsys.readouterr().err
    assert laptop.setup("upgrade", laptop.bundle(7, models=models, app=WITHOUT_MODEL)) == 0
    assert laptop.setup("preflight", laptop.bundle(8, platform=needs, models=models, app=WITHOUT_MODEL)) == 0
    changed = laptop.bundle(9, platform=needs, models={"large": (b"x" * (3 << 20),)}, app=WITHOUT_MODEL)
    assert laptop.setup("preflight", changed) == 4
    refused(laptop, changed, 4)
    assert laptop.setup("upgrade", laptop.bundle(8)) == 0
