"""The list of every file inside the bundle's archives: what each must be when it is unpacked."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields

from medlora_setup.manifest_fields import Fields, canonical, malformed, parsed
from medlora_setup.manifest_rules import require_paths

CONTENTS = "contents.json"
ARCHIVES = frozenset({"python", "app"})
MAX_BYTES = 16 << 20
MAX_FILES = 50_000


@dataclass(frozen=True)
class Content:
    """One file inside an archive: its path there, size in bytes, SHA-256 in hexadecimal, mode 0644 or 0755."""

    path: str
    size: int
    sha256: str
    mode: int


def read_contents(data: bytes) -> dict[str, tuple[Content, ...]]:
    """Read the list that `write_contents` wrote: the files of each archive, "python" and "app".

    Raises SetupError (exit 3) naming the field that is malformed, or two paths that cannot lie in one folder.
    """
    if len(data) > MAX_BYTES:
        raise malformed(f"it has {len(data)} bytes; at most {MAX_BYTES} are allowed", CONTENTS)
    top = Fields.of(parsed(data, CONTENTS), CONTENTS, ARCHIVES)
    contents = {name: tuple(read_content(value, at) for value, at in top.items(name, MAX_FILES)) for name in top.values}
    require_paths([content.path for listed in contents.values() for content in listed], CONTENTS)
    if write_contents(contents) != data:
        raise malformed("it is not in its canonical form (sorted members, no spaces)", CONTENTS)
    return contents


def write_contents(contents: Mapping[str, Sequence[Content]]) -> bytes:
    """The list's canonical bytes."""
    return canonical({name: [asdict(content) for content in listed] for name, listed in contents.items()})


def read_content(value: object, where: str) -> Content:
    """Read one entry of a list of files. Raises SetupError (exit 3) naming the member that is malformed."""
    entry = Fields.of(value, where, frozenset(field.name for field in fields(Content)))
    mode = entry.integer("mode")
    if mode not in {0o644, 0o755}:
        entry.refuse("mode", "it must be 420 (0644) or 493 (0755)")
    return Content(entry.text("path"), entry.integer("size"), entry.sha256("sha256"), mode)
