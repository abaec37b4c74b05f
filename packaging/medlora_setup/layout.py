"""Where an installation and its user keep their parts. Paths only: nothing is written here."""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from medlora_setup.errors import Code, SetupError

APP = "medlora-edge"
PROGRAMS = ("medlora-edge", "medlora-setup")
VERSION_NAME = re.compile(r"[0-9][0-9a-z.+]*-[1-9][0-9]*", re.ASCII)


@dataclass(frozen=True)
class Layout:
    """The paths of the installation below `prefix`."""

    prefix: Path

    @property
    def versions(self) -> Path:
        """One folder for each installed version."""
        return self.prefix / "versions"

    @property
    def current(self) -> Path:
        """The link that says which version starts."""
        return self.prefix / "current"

    @property
    def programs(self) -> Path:
        """Links to the programs of the current version."""
        return self.prefix / "bin"

    @property
    def backups(self) -> Path:
        """Copies of the chats as they were under an earlier version."""
        return self.prefix / "backups"

    @property
    def state(self) -> Path:
        """What this installation knows of itself: key, highest serial, versions, what it created."""
        return self.prefix / "state.json"

    @property
    def lock(self) -> Path:
        """Held by the one setup at work."""
        return self.prefix / "lock"

    def version(self, name: str) -> Path:
        """Folder of an installed version."""
        return self.versions / name

    def staging(self, name: str) -> Path:
        """Folder of a version while it is put together; never started from there by anybody but the self-test."""
        return self.versions / f"{name}.staging"

    def home(self, name: str) -> Path:
        """Folder that the self-test of a version may write to."""
        return self.versions / f"{name}.home"

    def backup(self, name: str) -> Path:
        """Copy of the chats as they were when `name` was the current version."""
        return self.backups / name

    def current_name(self) -> str | None:
        """Name of the version that starts, None when there is none. Raises SetupError (exit 3) for a foreign link."""
        try:
            folder, name = os.path.split(self.current.readlink())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            folder = name = ""
        if folder != "versions" or not VERSION_NAME.fullmatch(name):
            fix = "point it at one of the folders in versions/, or install again elsewhere"
            raise SetupError(
                "this is not the link that setup made", where=str(self.current), fix=fix, code=Code.CORRUPT
            )
        return name

    def require_current(self) -> str:
        """Name of the version that starts. Raises SetupError (exit 2) when nothing is installed here."""
        name = self.current_name()
        if name is None:
            fix = "install a bundle first, or say with --prefix where it is installed"
            raise SetupError("nothing is installed here", where=str(self.prefix), fix=fix, code=Code.USAGE)
        return name


def serial_of(name: str) -> int:
    """Serial of the bundle that the version was installed from."""
    return int(name.rpartition("-")[2])


def layout_at(prefix: Path | None) -> Layout:
    """The installation at `prefix`; by default the one this program belongs to, else the user's own."""
    if prefix is not None:
        return Layout(Path(os.path.abspath(prefix)))  # noqa: PTH100 - the folder ".." is taken out by name alone
    of_this_program = Path(sys.executable).resolve().parents
    if len(of_this_program) > 4 and Layout(of_this_program[4]).state.is_file():
        return Layout(of_this_program[4])
    return Layout(_home() / ".local" / "share" / f"{APP}-install")


def data_folder() -> Path:
    """The user's data, as `medlora_edge.paths` finds it."""
    return _user_folder("data", "XDG_DATA_HOME", ".local/share")


def user_folders() -> tuple[Path, ...]:
    """Everything the app keeps for this user: data, settings, logs and caches."""
    settings = _user_folder("config", "XDG_CONFIG_HOME", ".config")
    return data_folder(), settings, _user_folder("state", "XDG_STATE_HOME", ".local/state")


def history_folder() -> Path:
    """The user's chats and their keys."""
    return data_folder() / "history"


def _user_folder(name: str, variable: str, default: str) -> Path:
    if own := os.environ.get("MEDLORA_HOME"):
        return Path(own).expanduser().absolute() / name
    return Path(os.environ.get(variable, "").strip() or _home() / default) / APP


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        fix = "say with --prefix where to install, and with MEDLORA_HOME where the user's data lie"
        raise SetupError("this user has no home folder", fix=fix, code=Code.USAGE) from None
