"""Known advisories against packages of the bundle: a lock with an affected package is refused.

The table is what was known when it was written; the builder asks no service.
"""

from collections.abc import Iterable
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from pydantic import BaseModel, ConfigDict, TypeAdapter

from medlora_bundle.lock import Locked
from medlora_edge.errors import GateError

TABLE = Path(__file__).with_name("advisories.json")


class Advisory(BaseModel):
    """One finding: the versions of a package that have it, where it is recorded, and what ships instead."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    package: str
    affected: str
    ids: tuple[str, ...]
    what: str
    instead: str

    def concerns(self, name: str, version: str) -> bool:
        """Whether this version of the package `name` has it."""
        same = canonicalize_name(name) == self.package
        return same and SpecifierSet(self.affected).contains(version, prereleases=True)


def table() -> tuple[Advisory, ...]:
    """All that are known."""
    return TypeAdapter(tuple[Advisory, ...]).validate_json(TABLE.read_bytes())


def require_none(locked: Iterable[Locked]) -> None:
    """Raise GateError (exit 5) naming every locked package with a known advisory, and what to do instead."""
    found = [(file, one) for file in locked for one in table() if one.concerns(file.name, file.version)]
    if found:
        named = "; ".join(f"{file.name} {file.version}: {', '.join(one.ids)} ({one.what})" for file, one in found)
        fix = "; ".join(sorted({one.instead for _, one in found}))
        raise GateError(f"known advisories against packages of the lock: {named}", where="lock.json", fix=fix)
