"""Files a qualification as two documents of one name: JSON for programs, a page for people. Overwrites nothing."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from medlora_setup.errors import Code, SetupError, not_written
from medlora_setup.qualification import Qualification
from medlora_setup.report_page import page

SCHEMA = 1
SUFFIXES = (".json", ".html")


@dataclass(frozen=True)
class Filed:
    """A qualification and where its two documents lie."""

    qualification: Qualification
    record: Path
    page: Path


@dataclass(frozen=True)
class Filing:
    """Two documents that were begun under names that nothing else had."""

    record: Path
    page: Path
    record_stream: BinaryIO
    page_stream: BinaryIO

    def write(self, qualification: Qualification) -> Filed:
        """Write both; the page names the record's SHA-256, so that a signed print binds it. Raises SetupError (4)."""
        record = encoded(qualification)
        text = page(qualification, self.record.name, hashlib.sha256(record).hexdigest())
        for path, stream, content in (
            (self.record, self.record_stream, record),
            (self.page, self.page_stream, text.encode()),
        ):
            try:
                stream.write(content)
                stream.flush()
            except OSError as error:
                raise not_written(error, path) from error
        return Filed(qualification, self.record, self.page)


@contextmanager
def filed(out: Path | None, default_name: str) -> Iterator[Filing]:
    """Begin a report before the long work: `default_name` in the folder `out`, or `out` itself as its name.

    Nothing is left when the work ends in an error. Raises SetupError: exit 2 for a name that is taken or a folder
    that is not there, 4 when the disk refuses.
    """
    wanted = Path() if out is None else out
    base = wanted / default_name if wanted.is_dir() else wanted
    name = base.stem if base.suffix in SUFFIXES else base.name
    record, page_path = (base.with_name(f"{name}{suffix}") for suffix in SUFFIXES)
    with ExitStack() as undo, ExitStack() as open_files:
        streams = []
        for path in (record, page_path):
            streams.append(open_files.enter_context(_begun(path)))
            undo.callback(_remove, path)
        yield Filing(record, page_path, *streams)
        undo.pop_all()


def encoded(qualification: Qualification) -> bytes:
    """The JSON document."""
    told = {"schema": SCHEMA, "passed": not qualification.failed, "verdict": qualification.verdict}
    return json.dumps(told | asdict(qualification), ensure_ascii=False, indent=1).encode() + b"\n"


def _begun(path: Path) -> BinaryIO:
    try:
        return path.open("xb")
    except FileExistsError as error:
        fix = "give another name with --out"
        raise SetupError("a file of this name is there already", where=str(path), fix=fix, code=Code.USAGE) from error
    except (FileNotFoundError, NotADirectoryError) as error:
        fix = "make the folder, or give another with --out"
        raise SetupError("there is no such folder", where=str(path.parent), fix=fix, code=Code.USAGE) from error
    except OSError as error:
        raise not_written(error, path) from error


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
