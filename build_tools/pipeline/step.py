"""One step of a run: done when its `step.json` fits its inputs and its outputs are intact, else done now."""

import errno
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from pydantic import JsonValue
from safetensors import SafetensorError

from build_tools.gates.report import GateReport
from build_tools.manifest import (
    FILE_NAME,
    StepRecord,
    check_outputs,
    outputs_of,
    read_record,
    sha256_of_json,
    write_record,
)
from build_tools.pipeline import environment
from medlora_edge.errors import CorruptError, ResourceError
from medlora_edge.files import write_atomic

BEGUN = ".begun"
RESULT = "result"  # the step that ships
EARLIER = "earlier"  # what training left that was done anew, deeper than the folder of any step
DISK_REFUSES = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG, errno.EIO}

Say = Callable[[str], None]


def silent(_: str) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class Outcome:
    """What a step found out, beside the files it made."""

    gates: tuple[GateReport, ...] = ()
    facts: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True)
class Artefact:
    """A file or folder with its SHA-256: an output of `step`, called STEP/PATH, or from outside (`data:FILE`)."""

    name: str
    path: Path
    sha256: str
    step: str | None = None


@dataclass(frozen=True)
class Step:
    """`work` makes the step's folder, whose path under the run's folder is `name`.

    `part`: what the recipe says about this step. `libraries`: distributions whose version decides the outcome.
    `kept`: working folders of a step that can be resumed; they are no outputs. Such a step takes long, so what it made
    is never removed.
    """

    name: str
    work: Callable[[Path], Outcome]
    inputs: tuple[Artefact, ...]
    part: object
    seed: int
    libraries: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Hash of all that decides the outcome: two steps with one key make the same thing."""
        return sha256_of_json(
            {
                "step": self.name,
                "inputs": {artefact.name: artefact.sha256 for artefact in self.inputs},
                "part": self.part,
                "seed": self.seed,
                "versions": environment.versions(self.libraries),
            }
        )


def perform(step: Step, root: Path, say: Say) -> StepRecord:
    """Do the step in `root`, or say that it is done already; its record is there only when all of it is.

    Raises what the work raises, and ResourceError (exit 4) when the disk is full or refuses.
    """
    folder = root / step.name
    record = _finished(step, folder, say)
    if record:
        say(f"{step.name}: unchanged, skipped")
        return record
    try:
        shutil.rmtree(root / RESULT, ignore_errors=True)  # it stands only while nothing before it is done anew
        _clear(step, root, say)
        started, clock = datetime.now(UTC), time.monotonic()
        say(f"{step.name}: begun")
        outcome = step.work(folder)
        record = _record(step, folder, outcome, started, time.monotonic() - clock)
        write_record(folder, record)
        (folder / BEGUN).unlink(missing_ok=True)
    except (OSError, SafetensorError) as error:
        refusal = _refusal(error)
        if refusal is None:
            raise
        raise ResourceError(
            f"the disk refuses in step {step.name}: {refusal}",
            where=str(folder),
            fix="free space, or give another folder with --out; finished steps are kept",
        ) from error
    say(f"{step.name}: done in {record.seconds:.1f} s")
    return record


def _refusal(error: Exception) -> str | None:
    """What the disk said, where it is the disk that failed; safetensors hides its OSError in a sentence."""
    if isinstance(error, OSError):
        return error.strerror if error.errno in DISK_REFUSES else None
    return str(error) if "I/O error" in str(error) else None


def _finished(step: Step, folder: Path, say: Say) -> StepRecord | None:
    """The record of a step that need not be done again."""
    if not (folder / FILE_NAME).is_file():
        return None
    try:
        record = read_record(folder)
        check_outputs(folder, record)
    except CorruptError as problem:
        say(f"{step.name}: done anew, because of {problem.where}: {problem.what}")
        return None
    if changed := _changed(step, record):
        say(f"{step.name}: done anew, because {', '.join(changed)} changed")
        return None
    return record


def _changed(step: Step, record: StepRecord) -> list[str]:
    """What decides the outcome and is not as it was; nothing where the record is that of this very step."""
    if (record.recipe_sha256, record.seed) != (sha256_of_json(step.part), step.seed):
        return ["the recipe"]
    inputs = {artefact.name: artefact.sha256 for artefact in step.inputs}
    names = [name for name in inputs | record.inputs if inputs.get(name) != record.inputs.get(name)]
    was = record.versions
    libraries = environment.versions(step.libraries).items()
    return names + [f"{name} ({was.get(name)} to {now})" for name, now in libraries if was.get(name) != now]


def _clear(step: Step, root: Path, say: Say) -> None:
    """Take away what is not whole; a step that can be resumed keeps what it began with the same key."""
    folder = root / step.name
    leftovers = (f"{folder.name}.rejected*", f".{folder.name}.*")  # of a gate, of a process that was killed
    for leftover in (path for pattern in leftovers for path in folder.parent.glob(pattern)):
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    begun = folder / BEGUN
    if folder.exists() and not (step.kept and begun.is_file() and begun.read_text() == step.key):
        made = step.kept and any((folder / name).exists() for name in (FILE_NAME, *step.kept))
        _set_aside(step, root, say) if made else shutil.rmtree(folder)
    (folder / FILE_NAME).unlink(missing_ok=True)
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if step.kept:
        folder.mkdir(mode=0o700, exist_ok=True)
        write_atomic(begun, step.key.encode())


def _set_aside(step: Step, root: Path, say: Say) -> None:
    """Move a training's folder out of the chain, with its record and its checkpoints."""
    places = (root / EARLIER / step.name / str(number) for number in count(1))
    place = next(place for place in places if not place.exists())
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    (root / step.name).rename(place)
    say(f"{step.name}: what it made before lies in {place}; remove it when it is of no more use")


def _record(step: Step, folder: Path, outcome: Outcome, started: datetime, seconds: float) -> StepRecord:
    return StepRecord(
        step=step.name,
        key=step.key,
        recipe_sha256=sha256_of_json(step.part),
        seed=step.seed,
        inputs={artefact.name: artefact.sha256 for artefact in step.inputs},
        parents=tuple(sorted({artefact.step for artefact in step.inputs if artefact.step})),
        outputs=outputs_of(folder, step.kept),
        unhashed=step.kept,
        versions={**environment.program(), **environment.versions(step.libraries)},
        code=environment.code(),
        hardware=environment.hardware(),
        started=started,
        seconds=round(seconds, 3),
        gates=outcome.gates,
        facts=dict(outcome.facts),
    )
