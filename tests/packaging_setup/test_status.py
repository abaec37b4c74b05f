"""Status: each file that is not as it was signed is named."""

import json
from pathlib import Path

import pytest

from medlora_setup import installed_files, state
from tests.packaging_setup.laptop import Laptop

VERSION = Path("versions", "0.5.0-5")


@pytest.fixture(autouse=True)
def installed(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    assert laptop.install(5) == 0
    capsys.readouterr()


def changes(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What status names."""
    code = laptop.setup("status", "--json")
    told = json.loads(capsys.readouterr().out)
    assert code == (3 if told["changes"] else 0)
    return {change["path"]: change["what"] for change in told["changes"]}


def test_as_signed(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    assert changes(laptop, capsys) == {}
    assert laptop.setup("status") == 0
    told = capsys.readouterr().out
    assert "every installed file is as it was signed" in told
    assert "version         0.5.0-5" in told


def test_every_file_is_watched(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    folder = laptop.layout.prefix / VERSION
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert len(files) == 12
    for path in files:
        content = path.read_bytes()
        for damaged in (content[:-1] + bytes([content[-1] ^ 1]) if content else b"x", content + b"\n"):
            path.write_bytes(damaged)
            found = changes(laptop, capsys)
            assert len(found) == 1, path
        path.write_bytes(content)
    assert changes(laptop, capsys) == {}


def test_each_kind_of_change(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    folder = laptop.layout.prefix / VERSION
    (folder / "app" / "x.py").unlink()
    (folder / "app" / "y.py").symlink_to("/etc/passwd")
    (folder / "bin" / "medlora-edge").chmod(0o777)
    (folder / "python" / "bin" / "python3.11").unlink()
    (folder / "python" / "bin" / "python3.11").symlink_to("/bin/sh")
    (folder / "new").mkdir()
    (laptop.layout.programs / "medlora-setup").unlink()
    assert changes(laptop, capsys) == {
        str(VERSION / "app" / "x.py"): "it is missing",
        str(VERSION / "app" / "y.py"): "a link that is not listed",
        str(VERSION / "bin" / "medlora-edge"): "its mode is 0777, not 0755",
        str(VERSION / "new"): "a folder that is not listed",
        str(VERSION / "python" / "bin" / "python3.11"): "it is a link where a file is due",
        "bin/medlora-setup": "it is not the link that was made",
    }


def test_words(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    (laptop.layout.prefix / VERSION / "app" / "x.py").write_text("import socket")
    assert laptop.setup("status") == 3
    assert "CHANGED: versions/0.5.0-5/app/x.py: it has 13 bytes, not 0" in capsys.readouterr().out


def test_a_forged_record(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    """Manifest, signature and list of contents hang together down to the key."""
    folder = laptop.layout.prefix / VERSION
    for name in ("manifest.json", "manifest.json.minisig", "contents.json", "carried.json"):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[:-10] + b"#" + content[-9:])
        assert list(changes(laptop, capsys)) == [str(VERSION)]
        (folder / name).unlink()
        assert list(changes(laptop, capsys)) == [str(VERSION)]
        (folder / name).write_bytes(content)
    assert changes(laptop, capsys) == {}


def test_manifest_of(laptop: Laptop) -> None:
    key = state.require(laptop.layout).key
    assert installed_files.manifest_of(laptop.layout.prefix / VERSION, key).serial == 5


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"schema": 1}', b'{"schema": 2}', b"\xff", b"[" * 100_000, b" " * (2 << 20)],
    ids=["empty", "half", "list", "short", "newer", "bytes", "deep", "long"],
)
def test_a_damaged_state(laptop: Laptop, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    laptop.layout.state.write_bytes(content)
    for command in ("status", "rollback", "uninstall"):
        assert laptop.setup(command) == 3
        assert "the record of this installation is damaged" in capsys.readouterr().err
    assert laptop.says() == "0.5.0-5"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("key", 1),
        ("next_key", 1),
        ("highest_serial", True),
        ("revoked", {}),
        ("versions", []),
        ("versions", {"../..": "key"}),
        ("backups", {"0.1.0-1/..": "/"}),
        ("previous", "../0.1.0-1"),
        ("created", [1]),
        ("created", ["here"]),
    ],
)
def test_a_state_of_wrong_types(laptop: Laptop, name: str, value: object, capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads(laptop.layout.state.read_bytes())
    for changed in (
        {**record, name: value},
        {**record, "more": 1},
        {key: record[key] for key in record if key != name},
    ):
        laptop.layout.state.write_text(json.dumps(changed))
        assert laptop.setup("status") == 3


def test_a_missing_state(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    laptop.layout.state.unlink()
    assert laptop.setup("status") == 3
    assert "the record is missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    "target", ["/etc", "versions/..", "versions", "elsewhere/0.5.0-5", "versions/..-1", "versions/x y-1"]
)
def test_a_foreign_link(laptop: Laptop, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    laptop.layout.current.unlink()
    laptop.layout.current.symlink_to(target)
    assert laptop.setup("status") == 3
    assert "not the link that setup made" in capsys.readouterr().err
