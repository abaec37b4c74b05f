"""What of a built engine wheel is shipped, and how: stripped libraries, a fresh RECORD, the same bytes every time."""

import base64
import csv
import hashlib
import io
import re
import tempfile
import zipfile
from pathlib import Path

from medlora_bundle import native_files

PACKAGE = "llama_cpp/"
LIBRARY = re.compile(r"llama_cpp/lib/lib(llama|ggml|ggml-base|ggml-cpu-\w+)\.so")
LEFT_OUT = ("llama_cpp/include/", "llama_cpp/server/", "llama_cpp/lib/")  # of the last all but LIBRARY
DAY_ZERO = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say

Files = dict[str, bytes]


def finish(built: Path, folder: Path) -> Path:
    """Write the wheel to ship into `folder`, made from `built`, under the same name; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(built) as wheel:
        files = {name: wheel.read(name) for name in wheel.namelist() if shipped(name)}
    stripped = {name: _strip(data) if LIBRARY.fullmatch(name) else data for name, data in files.items()}
    target = folder / built.name
    write(stripped, target)
    return target


def shipped(name: str) -> bool:
    """Whether a file of the built wheel belongs into the shipped one."""
    if LIBRARY.fullmatch(name):
        return True
    if name.endswith((".dist-info/RECORD", "/")):
        return False  # written anew; a folder
    return not name.startswith(LEFT_OUT) and (name.startswith(PACKAGE) or ".dist-info/" in name)


def write(files: Files, target: Path) -> None:
    """Write a wheel: names in order, times fixed, RECORD last. The same files give the same bytes."""
    record_name = next(name for name in files if name.endswith(".dist-info/WHEEL")).replace("WHEEL", "RECORD")
    everything = [*sorted(files.items()), (record_name, record(files, record_name))]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as wheel:
        for name, data in everything:
            info = zipfile.ZipInfo(name, DAY_ZERO)
            info.create_system = 3  # Unix, whatever runs this
            info.external_attr = (0o100755 if name.endswith(".so") else 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(info, data, compresslevel=9)


def record(files: Files, record_name: str) -> bytes:
    """The RECORD of a wheel with these files: name, SHA-256 in its base64, size in bytes."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for name, data in sorted(files.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.writerow((name, f"sha256={digest}", len(data)))
    rows.writerow((record_name, "", ""))
    return text.getvalue().encode()


def _strip(library: bytes) -> bytes:
    with tempfile.NamedTemporaryFile(suffix=".so") as file:
        file.write(library)
        file.flush()
        native_files.strip(Path(file.name))
        return Path(file.name).read_bytes()
