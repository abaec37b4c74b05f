"""Hashes of files and folders, and `step.json`: the sealed record that says a step of a run is whole."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from build_tools.gates.report import GateReport
from medlora_edge.errors import CorruptError
from medlora_edge.files import write_atomic

FILE_NAME = "step.json"
SEAL = "sha256"
CHUNK = 4 << 20
MAX_BYTES = 64 << 20


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


_M = TypeVar("_M", bound=BaseModel)


class Output(_Part):
    """One file that a step made."""

    sha256: str
    size_bytes: int


class Code(_Part):
    """The state of the source: None where it is no git checkout."""

    commit: str | None
    dirty: bool | None


class Hardware(_Part):
    """What the step ran on, in words; never a machine's name."""

    cpu: str
    cores: int
    memory_bytes: int
    system: str
    gpus: tuple[str, ...] = ()


class StepRecord(_Part):
    """One finished step.

    `inputs`: SHA-256 by name, where `STEP/PATH` is an output of another step of the run and `data:FILE`, `base:...`
    came from outside. `outputs`: by path relative to the step's folder, all files but those under `unhashed`.
    `recipe_sha256`: hash of the part of the recipe that decides this step. `key`: hash of all that decides it.
    `facts`: figures for the model card.
    """

    schema_version: int = 1
    step: str
    key: str
    recipe_sha256: str
    seed: int
    inputs: dict[str, str]
    outputs: dict[str, Output]
    unhashed: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    versions: dict[str, str]
    code: Code
    hardware: Hardware
    started: AwareDatetime
    seconds: float
    gates: tuple[GateReport, ...] = ()
    facts: dict[str, JsonValue] = Field(default_factory=dict)

    def sha256_of(self, path: str = "") -> str | None:
        """Hash of one output file, or of all outputs under a folder (`""`: of the whole step); None: no such output."""
        if path in self.outputs:
            return self.outputs[path].sha256
        prefix = f"{path}/" if path else ""
        inside = {name: output.sha256 for name, output in self.outputs.items() if name.startswith(prefix)}
        inside = {name.removeprefix(prefix): digest for name, digest in inside.items()}
        return sha256_of_names(inside) if inside else None


def sha256_of_file(path: Path) -> str:
    """SHA-256 of a file in hexadecimal. Raises CorruptError when the disk cannot read it."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise CorruptError(f"the file cannot be read: {error.strerror}", where=str(path)) from error
    return digest.hexdigest()


def sha256_of_folder(folder: Path) -> str:
    """SHA-256 over the sorted relative names and contents of all files in `folder`, hidden ones left out."""
    return sha256_of_names({name: sha256_of_file(folder / name) for name in file_names(folder)})


def sha256_of_names(files: Mapping[str, str]) -> str:
    """SHA-256 of a folder from its files' hashes by relative name."""
    lines = (f"{digest}  {name}\n" for name, digest in sorted(files.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def sha256_of_json(value: object) -> str:
    """SHA-256 of what JSON can hold, whatever the order of keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def file_names(folder: Path, unhashed: Iterable[str] = ()) -> Iterator[str]:
    """Relative POSIX names of the files in a step's folder, without `step.json`, hidden ones and `unhashed` folders."""
    left_out = {FILE_NAME, *unhashed}
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if parts[0] not in left_out and not any(part.startswith(".") for part in parts) and path.is_file():
            yield "/".join(parts)


def outputs_of(folder: Path, unhashed: Iterable[str] = ()) -> dict[str, Output]:
    """Hash what a step left in its folder."""
    return {
        name: Output(sha256=sha256_of_file(folder / name), size_bytes=(folder / name).stat().st_size)
        for name in file_names(folder, unhashed)
    }


def check_outputs(folder: Path, record: StepRecord, *, partial: bool = False) -> int:
    """Require that the step's files are those it recorded; `partial`: some need not be here. Returns how many are.

    Raises CorruptError naming the first that is another, that is gone, or that no step made.
    """
    here = 0
    for name, output in record.outputs.items():
        if not (folder / name).is_file():
            if partial:
                continue
            raise CorruptError("the file is gone", where=str(folder / name), fix="run the recipe again")
        found = sha256_of_file(folder / name)
        if found != output.sha256:
            raise CorruptError(
                f"the file has SHA-256 {found[:12]}..., not the recorded {output.sha256[:12]}...",
                where=str(folder / name),
                fix="run the recipe again: it does this step anew",
            )
        here += 1
    strangers = set(file_names(folder, record.unhashed)) - set(record.outputs)
    if strangers:
        raise CorruptError("no step made this file", where=str(folder / min(strangers)), fix="remove it")
    return here


def write_record(folder: Path, record: StepRecord) -> None:
    """Write `step.json` into the step's folder: the last thing a step does. Raises OSError as the disk gives it."""
    write_atomic(folder / FILE_NAME, sealed(record))


def read_record(folder: Path) -> StepRecord:
    """Read `step.json`. Raises CorruptError when it is missing, malformed, or not as it was written."""
    return unsealed(folder / FILE_NAME, StepRecord)


def sealed(document: BaseModel) -> bytes:
    """A record as JSON that carries the SHA-256 of its own content, so that a changed byte shows."""
    content = document.model_dump(mode="json")
    text = json.dumps({SEAL: sha256_of_json(content), **content}, indent=1, ensure_ascii=False)
    return text.encode() + b"\n"


def unsealed(path: Path, form: type[_M]) -> _M:
    """Read a sealed record. Raises CorruptError naming the file and what is wrong with it."""
    try:
        with path.open("rb") as stream:
            text = stream.read(MAX_BYTES)
    except OSError as error:
        raise CorruptError(f"the record cannot be read: {error.strerror}", where=str(path)) from error
    try:
        content = json.loads(text)
        document = form.model_validate({name: value for name, value in content.items() if name != SEAL})
    except (ValidationError, ValueError, AttributeError, RecursionError) as error:
        raise CorruptError("the record is malformed", where=str(path), fix="run the recipe again") from error
    if sealed(document) != text:
        raise CorruptError("the record is not as it was written", where=str(path), fix="run the recipe again")
    return document
