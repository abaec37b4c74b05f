"""Which file names a bundle may hold: those that mean one and the same file inside it on every system."""

import re
import unicodedata
from collections.abc import Iterable

MAX_BYTES = 240
FORBIDDEN = re.compile(r'[\\:*?"<>|]')
RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\..*)?", re.IGNORECASE)


def fault(path: str) -> str | None:
    """Say why `path` may not be in a bundle or an archive; None: it may."""
    if not path.isprintable():
        return "it holds control characters"
    if len(path.encode()) > MAX_BYTES:
        return f"it is longer than {MAX_BYTES} bytes"
    if unicodedata.normalize("NFC", path) != path:
        return "it is not in Unicode's composed form (NFC)"
    if FORBIDDEN.search(path):
        return "it holds a character that not every system allows"
    for part in path.split("/"):
        if problem := _part_fault(part):
            return problem
    return None


def clash(paths: Iterable[str]) -> str | None:
    """Say which two of `paths` would be the same file, or file and folder at once, where case does not count."""
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for path in paths:
        if other := files.get(path.casefold()):
            return f"{other!r} and {path!r} are one file where case does not count"
        files[path.casefold()] = path
        for folder in folders_of(path):
            other = folders.setdefault(folder.casefold(), folder)
            if other != folder:
                return f"{other!r} and {folder!r} are one folder where case does not count"
    for folded in files.keys() & folders.keys():
        return f"{files[folded]!r} is a file and a folder at once"
    return None


def folders_of(path: str) -> list[str]:
    """Every folder that `path` lies in, the outermost first."""
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _part_fault(part: str) -> str | None:
    if part in {"", ".", ".."}:
        return "it is absolute, empty or leads out of its folder"
    if part[-1] in ". ":
        return "a part of it ends in a dot or a space"
    if RESERVED.fullmatch(part):
        return f"{part!r} is a reserved name on Windows"
    return None
