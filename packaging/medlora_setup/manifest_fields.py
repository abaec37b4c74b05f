"""Takes typed, bounded values out of untrusted JSON; every refusal names the field."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from medlora_setup.errors import Code, SetupError

MAX_TEXT = 2000
MAX_NUMBER = 2**53 - 1
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Fields:
    """The members of one JSON object and where it stands; each method raises SetupError (exit 3) naming the member."""

    values: dict[str, object]
    where: str

    @classmethod
    def of(cls, value: object, where: str, names: frozenset[str]) -> "Fields":
        """Take `value` as an object that has exactly the members `names`."""
        if not isinstance(value, dict):
            raise malformed("it must be an object", where)
        for name in sorted(value.keys() - names):
            raise malformed("it is unknown", _member(where, name))
        for name in sorted(names - value.keys()):
            raise malformed("it is missing", _member(where, name))
        return cls(value, where)

    def text(self, name: str, pattern: str | None = None) -> str:
        """One line of text, which has to match `pattern` as a whole."""
        value = self.values[name]
        if not isinstance(value, str):
            self.refuse(name, "it must be text")
        if not value.isprintable() or not 0 < len(value) <= MAX_TEXT:
            self.refuse(name, f"it must be one line of 1 to {MAX_TEXT} characters without control characters")
        if pattern and not re.fullmatch(pattern, value, re.ASCII):
            self.refuse(name, "it is not written as it must be")
        return value

    def sha256(self, name: str) -> str:
        """A SHA-256 in lower-case hexadecimal."""
        return self.text(name, SHA256.pattern)

    def integer(self, name: str, *, least: int = 0) -> int:
        """A whole number from `least` to what every reader of JSON can hold."""
        value = self.values[name]
        if not isinstance(value, int) or isinstance(value, bool):
            self.refuse(name, "it must be a whole number")
        if not least <= value <= MAX_NUMBER:
            self.refuse(name, f"it must be at least {least}" if value < least else "it is too large")
        return value

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self.values[name]
        if not isinstance(value, bool):
            self.refuse(name, "it must be true or false")
        return value

    def items(self, name: str, limit: int) -> Iterator[tuple[object, str]]:
        """The entries of a list of at most `limit`, each with its place."""
        value = self.values[name]
        if not isinstance(value, list):
            self.refuse(name, "it must be a list")
        if len(value) > limit:
            self.refuse(name, f"it has {len(value)} entries; at most {limit} are allowed")
        for at, item in enumerate(value):
            yield item, f"{_member(self.where, name)}[{at}]"

    def refuse(self, name: str, why: str) -> NoReturn:
        """Raise the error for the member `name`."""
        raise malformed(why, _member(self.where, name))


def parsed(data: bytes, where: str) -> object:
    """Parse UTF-8 JSON. Raises SetupError (exit 3) for anything else, and for nesting or numbers without end."""
    try:
        value: object = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise malformed("it is not JSON in UTF-8", where) from error
    return value


def canonical(value: object) -> bytes:
    """The one way to write `value`: UTF-8, members sorted, no spaces, one newline at the end."""
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n").encode()


def malformed(why: str, where: str) -> SetupError:
    """Make the error for a field of a list that came with the bundle."""
    return SetupError(f"the bundle is malformed: {why}", where=where, fix="get the bundle again", code=Code.CORRUPT)


def _member(where: str, name: str) -> str:
    return f"{where}, {name!r}" if where else repr(name)
