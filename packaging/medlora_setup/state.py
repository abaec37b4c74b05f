"""state.json: what an installation knows of itself. Read strictly, written whole."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from medlora_setup import steps
from medlora_setup.errors import Code, SetupError
from medlora_setup.layout import VERSION_NAME, Layout

SCHEMA = 1
LARGEST = 1 << 20


@dataclass(frozen=True)
class State:
    """Known of an installation."""

    key: str
    """Public key (base64) that the next bundle must be signed with."""
    next_key: str | None
    """Public key that may take its place, announced in a bundle that `key` signed."""
    highest_serial: int
    """A bundle with a lower serial is refused."""
    revoked: tuple[int, ...]
    """Serials that may not be gone back to."""
    versions: dict[str, str]
    """Folders below versions/ that setup made or is making, each with the key that its bundle was verified with."""
    previous: str | None
    """Version that `rollback` goes back to."""
    backups: dict[str, str]
    """Folders below backups/, each with the folder whose copy it is."""
    created: tuple[str, ...]
    """Folders above and including the prefix that setup made, outermost first."""


def read(layout: Layout) -> State | None:
    """The state, None when there is no installation. Raises SetupError (exit 3) for a damaged file."""
    try:
        with layout.state.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return _parsed(content)
    except (ValueError, TypeError, RecursionError) as error:
        fix = "move this installation away and install again; chats and settings are kept elsewhere"
        what = f"the record of this installation is damaged: {error}"
        raise SetupError(what, where=str(layout.state), fix=fix, code=Code.CORRUPT) from None


def require(layout: Layout) -> State:
    """The state. Raises SetupError: exit 2 when there is no installation, 3 for a damaged file."""
    state = read(layout)
    if state is None:
        layout.require_current()
        fix = "move this installation away and install again; chats and settings are kept elsewhere"
        raise SetupError("the record is missing", where=str(layout.state), fix=fix, code=Code.CORRUPT)
    return state


def write(layout: Layout, state: State) -> None:
    """Replace the state, whole or not at all, unless it is the one that is there."""
    if not layout.state.is_file() or layout.state.read_bytes() != encoded(state):
        steps.write_file(layout.state, encoded(state))


def encoded(state: State) -> bytes:
    """The file's content."""
    return json.dumps({"schema": SCHEMA, **asdict(state)}, indent=1, sort_keys=True).encode() + b"\n"


def _parsed(content: bytes) -> State:
    if len(content) > LARGEST:
        raise ValueError("too long")
    record = json.loads(content)
    names = {field.name for field in fields(State)} | {"schema"}
    if not isinstance(record, dict) or record.keys() != names or record["schema"] != SCHEMA:
        raise ValueError("not a record of this version")
    return State(
        key=_text(record["key"]),
        next_key=_optional_text(record["next_key"]),
        highest_serial=_number(record["highest_serial"]),
        revoked=tuple(_number(serial) for serial in _items(record["revoked"])),
        versions=_by_version(record["versions"]),
        previous=None if record["previous"] is None else _version(record["previous"]),
        backups=_by_version(record["backups"]),
        created=tuple(_absolute(path) for path in _items(record["created"])),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text expected")
    return value


def _optional_text(value: object) -> str | None:
    return None if value is None else _text(value)


def _number(value: object) -> int:
    if type(value) is not int:
        raise TypeError("a whole number expected")
    return value


def _items(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("a list expected")
    return value


def _by_version(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TypeError("an object expected")
    return {_version(name): _text(text) for name, text in value.items()}


def _version(value: object) -> str:
    """The name of a folder that may be removed, so nothing that leads elsewhere."""
    if not VERSION_NAME.fullmatch(_text(value)):
        raise ValueError(f"{value!r} is no name of a version")
    return _text(value)


def _absolute(value: object) -> str:
    if not Path(_text(value)).is_absolute():
        raise ValueError(f"{value!r} is no absolute path")
    return _text(value)
