"""Takes the program off the machine; with `purge` the user's own data too."""

import os
from contextlib import suppress
from pathlib import Path

from medlora_setup import removal, state, steps
from medlora_setup.errors import Code, SetupError
from medlora_setup.holding import chats_closed, setup_alone
from medlora_setup.layout import Layout, history_folder, user_folders
from medlora_setup.result import Result


def uninstall(layout: Layout, *, purge: bool = False) -> Result:
    """Remove what setup made, and with `purge` this user's chats, models, settings and logs.

    What is not its own is left and named. Raises SetupError: exit 2 when nothing is installed here or MEDLORA_HOME
    is not the app's alone, 4 when something
    cannot be removed, 8 when the chats are open or another setup is at work.
    """
    known = state.require(layout)
    with setup_alone(layout), chats_closed(history_folder()):
        version = layout.current_name()
        if purge:
            _refuse_shared_home()
            _purge()
        with steps.if_there_is_room():  # without it an interrupted uninstall is finished by a bundle's medlora-setup
            removal.leave_script(layout, known)
        left = removal.remove(layout, known)
    return Result("purged" if purge else "uninstalled", version, kept=left)


def _refuse_shared_home() -> None:
    """A folder `data` may be removed whole only where it can be nobody else's."""
    home = Path(os.environ.get("MEDLORA_HOME", "")).expanduser()
    own = {folder.name for folder in user_folders()}
    if home != Path() and home.is_dir() and not {path.name for path in home.iterdir()} <= own:
        fix = f"remove what is yours in {', '.join(sorted(own))} by hand; without --purge the data stay"
        raise SetupError("MEDLORA_HOME holds other things too", where=str(home), fix=fix, code=Code.USAGE)


def _purge() -> None:
    """The keys go first: without them the chats are noise, wherever a copy of their bytes may remain."""
    for keys in sorted(history_folder().glob("keys*.json")):
        keys.unlink()
    for folder in user_folders():
        steps.remove_tree(folder)
        with suppress(OSError):  # what holds more than this is not the app's
            folder.parent.rmdir()
