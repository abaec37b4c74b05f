"""`metrics.jsonl`: one line a step and one an evaluation, in order, without repeats after a resume."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from build_tools.training.disk import disk_errors
from medlora_edge.errors import CorruptError
from medlora_edge.files import write_atomic

NAME = "metrics.jsonl"


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StepLine(_Line):
    """One optimiser step. `tokens` and `trained_tokens` are those of the step, `loss` is in nats a trained token."""

    step: int
    loss: float
    learning_rate: float
    gradient_norm: float
    tokens: int
    trained_tokens: int
    seconds: float
    peak_bytes: int


class EvaluationLine(_Line):
    """The held-out loss after a step, nats a trained token."""

    step: int
    held_out_loss: float


_LINE: TypeAdapter[StepLine | EvaluationLine] = TypeAdapter(StepLine | EvaluationLine)


def append(folder: Path, line: StepLine | EvaluationLine) -> None:
    """Add one line. Raises ResourceError (exit 4) when the disk will not take it."""
    with disk_errors(NAME, folder), (folder / NAME).open("a", encoding="utf-8") as stream:
        stream.write(line.model_dump_json() + "\n")


def read(folder: Path) -> list[StepLine | EvaluationLine]:
    """All complete lines; a torn last one is left out. Raises CorruptError naming a line that is none of ours."""
    path = folder / NAME
    content = path.read_bytes() if path.exists() else b""
    lines = content[: content.rfind(b"\n") + 1].splitlines()
    return [_parse(line, f"{path}, line {number}") for number, line in enumerate(lines, start=1)]


def cut(folder: Path, step: int) -> None:
    """Drop what came after `step`, when training goes on from there."""
    kept = [line for line in read(folder) if line.step <= step]
    text = "".join(line.model_dump_json() + "\n" for line in kept)
    with disk_errors(NAME, folder):
        write_atomic(folder / NAME, text.encode())


def _parse(line: bytes, where: str) -> StepLine | EvaluationLine:
    try:
        return _LINE.validate_json(line)
    except ValidationError as error:
        raise CorruptError("not a line of training metrics", where=where, fix="delete that line") from error
