"""The first install: all of it or nothing, for every user of the machine alike."""

import json
import os
import stat
from pathlib import Path

import pytest

from medlora_setup import machine, state
from medlora_setup.errors import SetupError
from medlora_setup.manifest import Platform
from tests.packaging_setup import toy
from tests.packaging_setup.laptop import FINGERPRINT, Laptop, toy_of, tree


def test_what_is_installed(laptop: Laptop) -> None:
    assert laptop.install(5) == 0
    assert laptop.says() == "0.5.0-5"
    assert laptop.layout.current_name() == "0.5.0-5"
    version = laptop.layout.version("0.5.0-5")
    model = version / "app" / "medlora_edge" / "shipped" / "tiny" / "tiny.gguf"
    assert model.read_bytes() == b"GGUF" * 50 + b"rest" * 20
    assert (version / "manifest.json").read_bytes() == (laptop.bundle(5) / "manifest.json").read_bytes()
    assert {path.name for path in laptop.layout.prefix.iterdir()} == {
        "bin",
        "current",
        "lock",
        "state.json",
        "versions",
    }
    assert {path.name for path in laptop.layout.versions.iterdir()} == {"0.5.0-5"}
    assert not laptop.history.parent.exists()  # nothing of the user's is touched


def test_the_state(laptop: Laptop) -> None:
    laptop.install(5)
    known = state.require(laptop.layout)
    assert known.key == toy.KEY.public.line
    assert known.highest_serial == 5
    assert known.created == (str(laptop.layout.prefix.parent), str(laptop.layout.prefix))


def test_json(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    laptop.setup("install", laptop.bundle(5), "--key", FINGERPRINT, "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["done"], told["version"]) == ("installed", "0.5.0-5")
    assert told["program"] == str(laptop.layout.programs / "medlora-edge")


def test_twice_is_once(laptop: Laptop) -> None:
    laptop.install(5)
    before = tree(laptop.disk)
    assert laptop.install(5) == 0
    assert tree(laptop.disk) == before


def test_another_version_is_there(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    laptop.install(5)
    before = tree(laptop.disk)
    assert laptop.install(6) == 2
    assert "version 0.5.0-5 is installed here already" in capsys.readouterr().err
    assert tree(laptop.disk) == before


def test_another_bundle_with_the_installed_serial(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    laptop.install(5)
    before = tree(laptop.disk)
    other = toy.build(laptop.folder / "other", toy_of(5, expected_tokens=b"[]\n"))
    assert laptop.setup("install", other) == 9
    assert "another bundle with serial 5 is installed already" in capsys.readouterr().err
    assert tree(laptop.disk) == before


@pytest.mark.parametrize("name", ["lock", "bin/medlora-edge", "versions/mine", ".profile"])
def test_a_folder_that_holds_other_things(laptop: Laptop, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    mine = laptop.layout.prefix / name
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    before = tree(laptop.disk)
    assert laptop.install(5) == 2
    assert "this folder holds other things" in capsys.readouterr().err
    assert tree(laptop.disk) == before


def test_a_folder_that_holds_a_link(laptop: Laptop) -> None:
    laptop.layout.prefix.mkdir(parents=True)
    (laptop.layout.prefix / "versions").symlink_to(laptop.disk)
    assert laptop.install(5) == 2


def test_what_a_killed_setup_left_in_the_folder(laptop: Laptop) -> None:
    prefix = laptop.layout.prefix
    for name in ("bin", machine.TRIAL):
        (prefix / name).mkdir(parents=True)
    (prefix / machine.TRIAL / "draft").touch()
    (prefix / "lock").touch()
    (prefix / ".state.json.new").write_text("{")
    assert laptop.install(5) == 0
    assert laptop.setup("uninstall") == 0
    assert not any(prefix.iterdir())


def test_a_program_that_fails_its_self_test(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    program = b"#!/bin/sh\necho no variant fits >&2\nexit 7\n"
    bundle = laptop.bundle(5, app={"bin/medlora-edge": program, "bin/medlora-setup": program})
    assert laptop.setup("install", bundle, "--key", FINGERPRINT) == 7
    assert "fails its self-test on this machine: no variant fits" in capsys.readouterr().err
    assert not tree(laptop.disk)


def test_a_program_that_does_not_start(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    program = b"#!/nowhere/sh\n"
    bundle = laptop.bundle(5, app={"bin/medlora-edge": program, "bin/medlora-setup": program})
    assert laptop.setup("install", bundle, "--key", FINGERPRINT) == 7
    assert "it cannot be started: No such file" in capsys.readouterr().err
    assert not tree(laptop.disk)


def test_the_self_test_has_a_home_of_its_own(laptop: Laptop) -> None:
    """What the program writes there is gone afterwards, and the user's folders are not touched."""
    program = (
        b'#!/bin/sh\n[ "$*" = "self-test --model starter --json" ] && '
        b'mkdir "$MEDLORA_HOME/data" && echo > "$MEDLORA_HOME/data/y"\n'
    )
    bundle = laptop.bundle(5, app={"bin/medlora-edge": program, "bin/medlora-setup": program})
    assert laptop.setup("install", bundle, "--key", FINGERPRINT) == 0
    assert not laptop.history.parent.exists()
    assert {path.name for path in laptop.layout.versions.iterdir()} == {"0.5.0-5"}


def test_a_machine_that_cannot_run_it(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = laptop.bundle(5, platform=Platform("linux", "x86_64", "99.0", "x86-64-v2", 1, 1))
    assert laptop.setup("install", bundle, "--key", FINGERPRINT) == 10
    assert "the bundle needs 99.0" in capsys.readouterr().err
    assert not tree(laptop.disk)


def test_stopped_anywhere(laptop: Laptop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl+C at each flush of a file or folder: nothing is left, or all is there."""
    left = 0

    def stop(_: int) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stop)
    codes: list[int] = []
    step = 0
    while not codes or codes[-1] != 0:
        step += 1
        left = step
        codes.append(laptop.install(5))
        left = 0
        assert capsys.readouterr().err == ("" if codes[-1] == 0 else "stopped\n")
        if laptop.layout.current.exists():
            assert laptop.install(5) == 0
            assert laptop.setup("status") == 0
            assert laptop.setup("uninstall") == 0
            capsys.readouterr()
        assert not tree(laptop.disk), step
    assert set(codes[:-1]) == {130}
    assert len(codes) > 20


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_modes_do_not_hang_on_the_umask(laptop: Laptop, umask: int) -> None:
    before = os.umask(umask)
    try:
        assert laptop.install(5) == 0
        laptop.keep_chats(b"old")
        assert laptop.upgrade(6) == 0
    finally:
        os.umask(before)
    modes = {path: stat.S_IMODE(mode) for path, (mode, _) in tree(laptop.disk).items() if not stat.S_ISLNK(mode)}
    private = {path for path in modes if "/backups/" in path}
    assert {modes[path] for path in private} == {0o700, 0o600}
    assert {modes[path] for path in modes.keys() - private} == {0o755, 0o644}


def test_a_prefix_below_a_link(laptop: Laptop) -> None:
    (laptop.disk / "elsewhere").mkdir()
    (laptop.disk / "opt").symlink_to("elsewhere")
    assert laptop.install(5) == 0
    assert laptop.says() == "0.5.0-5"
    assert laptop.setup("uninstall") == 0
    assert tree(laptop.disk).keys() == {str(laptop.disk / "elsewhere"), str(laptop.disk / "opt")}


def test_a_file_in_the_place_of_the_prefix(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    laptop.layout.prefix.parent.mkdir()
    laptop.layout.prefix.write_text("mine")
    assert laptop.install(5) == 4
    assert "Not a directory" in capsys.readouterr().err
    assert laptop.layout.prefix.read_text() == "mine"


def test_no_name_for_the_prefix_without_a_home(monkeypatch: pytest.MonkeyPatch, laptop: Laptop) -> None:
    from medlora_setup.layout import layout_at

    def nobody() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", nobody)
    with pytest.raises(SetupError, match="this user has no home folder"):
        layout_at(None)
    assert laptop.install(5) == 0


def test_the_stick_changes_after_it_was_verified(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was verified is held against what is unpacked, joined and kept; look runs between the two."""
    bundle = laptop.bundle(5)
    part = bundle / "models" / "tiny" / "part-000"
    look = machine.look

    def change(place: Path) -> machine.Machine:
        part.write_bytes(bytes(part.stat().st_size))
        return look(place)

    monkeypatch.setattr(machine, "look", change)
    assert laptop.setup("install", bundle, "--key", FINGERPRINT) == 3
    assert "the parts of the model tiny changed after they were verified" in capsys.readouterr().err
    assert not tree(laptop.disk)


def test_wrong_key(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    assert laptop.setup("install", laptop.bundle(5), "--key", "0" * 32) == 9
    assert "another fingerprint" in capsys.readouterr().err
    bundle = toy.build(laptop.folder / "forged", toy_of(5), toy.secret_key(2))
    (bundle / "keys" / "release.pub").write_bytes((laptop.bundle(5) / "keys" / "release.pub").read_bytes())
    assert laptop.setup("install", bundle, "--key", FINGERPRINT) == 9
    assert not tree(laptop.disk)


@pytest.mark.parametrize(("typed", "code"), [("yes\n", 0), ("no\n", 9), ("", 9)])
def test_the_key_is_asked_about(
    laptop: Laptop, typed: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert laptop.setup("install", laptop.bundle(5)) == code
    assert FINGERPRINT in capsys.readouterr().err
