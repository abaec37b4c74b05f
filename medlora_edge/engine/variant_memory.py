"""Which CPU variant passed its self-test here: kept in one small file, believed only for the same machine and build."""

import hashlib
import json
import platform
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from medlora_edge.files import write_atomic

Files = Mapping[str, Path]  # name of a variant -> its library


def recall(memory: Path, files: Files) -> str | None:
    """The variant that `remember` wrote, None when processor, libraries or file are not those of then."""
    try:
        kept = json.loads(memory.read_bytes())
        name = kept["variant"]
        same = name in files and kept == _record(files, name)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(name) if same else None


def remember(memory: Path, files: Files, name: str) -> None:
    """Keep that `name` passed. A place that cannot be written costs the next start a second look, nothing else."""
    with suppress(OSError):
        write_atomic(memory, json.dumps(_record(files, name)).encode())


def _record(files: Files, name: str) -> dict[str, str]:
    with files[name].open("rb") as library:
        digest = hashlib.file_digest(library, "sha256").hexdigest()
    sizes = "".join(f"{other} {path.stat().st_size}\n" for other, path in sorted(files.items()))
    machine = hashlib.sha256((_processor() + sizes).encode()).hexdigest()
    return {"variant": name, "library_sha256": digest, "machine_and_build": machine}


def _processor() -> str:
    """Model and abilities of the first processor."""
    lines = []
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as stream:
            for line in stream:
                if not line.strip():
                    break  # the next processor: the kernel takes a while for each
                if line.startswith(("vendor_id", "cpu family", "model", "stepping", "flags")):
                    lines.append(line)
    except OSError:
        return platform.processor()
    return "".join(lines)
