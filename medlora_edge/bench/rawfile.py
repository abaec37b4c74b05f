"""A data file as bytes, plain or gzip, never more than a bound."""

import gzip
import zlib
from pathlib import Path

from medlora_edge.errors import CorruptError, ResourceError, UsageError

MAX_BYTES = 64 << 20
_GZIP_MAGIC = b"\x1f\x8b"


def read_bounded(path: Path) -> bytes:
    """Uncompressed content of `path`, at most 64 MiB.

    Raises UsageError where there is no such file, CorruptError where it is empty, damaged or too big,
    ResourceError where it cannot be read.
    """
    if not path.is_file():
        what = "not a regular file" if path.exists() else "no such file"
        raise UsageError(what, where=str(path), fix="give the path of ori_pqal.json or ori_pqal.json.gz")
    try:
        with path.open("rb") as stream:
            compressed = stream.read(2) == _GZIP_MAGIC
            stream.seek(0)
            source = gzip.GzipFile(fileobj=stream) if compressed else stream
            content = source.read(MAX_BYTES + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise CorruptError("the gzip file is damaged", where=str(path), fix="get it again") from error
    except OSError as error:
        raise ResourceError(f"cannot read the file: {error.strerror}", where=str(path)) from error
    if not content:
        raise CorruptError("the file is empty", where=str(path), fix="get it again")
    if len(content) > MAX_BYTES:
        raise CorruptError(f"the content is larger than {MAX_BYTES >> 20} MiB", where=str(path))
    return content
