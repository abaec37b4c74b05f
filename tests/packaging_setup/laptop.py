"""A laptop for tests: a home, a place to install to, toy bundles, and what lies on its disk."""

import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from medlora_setup import cli
from medlora_setup.layout import Layout
from medlora_setup.manifest import Platform
from tests.packaging_setup import toy
from tests.packaging_setup.toy import KEY, Toy

FINGERPRINT = KEY.public.fingerprint
Tree = dict[str, tuple[int, str | bytes]]


@dataclass(frozen=True)
class Laptop:
    """The test's folder with bundles, the prefix (two folders deep that do not exist yet) and the user's data."""

    folder: Path

    @property
    def disk(self) -> Path:
        """All that an install may touch."""
        return self.folder / "disk"

    @property
    def layout(self) -> Layout:
        """Where the program is installed."""
        return Layout(self.disk / "opt" / "medlora edge ü")

    @property
    def history(self) -> Path:
        """The user's chats."""
        return self.folder / "medlora-home" / "data" / "history"

    def bundle(self, serial: int, **changed: object) -> Path:
        """A bundle whose program prints version and serial; of the same content whenever it is asked for."""
        version = f"0.{serial}.0"
        folder = self.folder / f"bundle {version}"
        return folder if folder.is_dir() else toy.build(folder, toy_of(serial, **changed))

    def setup(self, *arguments: str | Path) -> int:
        """Run a command of medlora-setup in this process; return its exit code."""
        return cli.run([*map(str, arguments), "--prefix", str(self.layout.prefix)])

    def install(self, serial: int) -> int:
        """Install the bundle with this serial."""
        return self.setup("install", self.bundle(serial), "--key", FINGERPRINT)

    def upgrade(self, serial: int) -> int:
        """Upgrade to the bundle with this serial."""
        return self.setup("upgrade", self.bundle(serial))

    def says(self) -> str:
        """What the installed program answers."""
        command = [str(self.layout.programs / "medlora-edge"), "hello"]
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()

    def keep_chats(self, content: bytes) -> None:
        """Let the user have chats."""
        self.history.mkdir(parents=True, exist_ok=True)
        (self.history / "chats.db").write_bytes(content)
        (self.history / "keys.json").write_bytes(b"keys of " + content)
        (self.history / ".lock").touch()

    def chats(self) -> bytes:
        """The chats that the program would open."""
        return (self.history / "chats.db").read_bytes()


def toy_of(serial: int, **changed: object) -> Toy:
    """What is in the bundle with this serial."""
    program = f'#!/bin/sh\ntest "$1" != fail && echo 0.{serial}.0-{serial}\n'.encode()
    setup = b'#!/bin/sh\nexec "$(dirname "$(readlink -f "$0")")/../python/bin/python3.11" -B -m medlora_setup "$@"\n'
    python = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'.encode()
    app = {"app/x.py": b"", "app/medlora_edge/shipped/tiny/manifest.json": b"{}\n"}
    content: dict[str, object] = {
        "version": f"0.{serial}.0",
        "serial": serial,
        "platform": Platform("linux", "x86_64", "2.34", "x86-64-v2", 1, 0),
        "python": {"python/bin/python3.11": python},
        "app": {**app, "bin/medlora-edge": program, "bin/medlora-setup": setup},
    }
    return Toy(**{**content, **changed})  # type: ignore[arg-type]


def tree(*folders: Path) -> Tree:
    """Everything in these folders: mode, and content or target of a link."""
    found: Tree = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            found[str(path)] = _described(path)
    return found


def _described(path: Path) -> tuple[int, str | bytes]:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return stat.S_IFLNK, str(path.readlink())
    return mode, path.read_bytes() if stat.S_ISREG(mode) else ""


def environment(**changed: str) -> Mapping[str, str]:
    """This process's environment with some variables changed."""
    return {**os.environ, **changed}
