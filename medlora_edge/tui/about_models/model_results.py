"""What a model's manifest says of its benchmark, in words. It was written elsewhere: every part of it is checked."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from medlora_edge.bench.tabular import interval_text, percent
from medlora_edge.models.manifest import Manifest

Share = Annotated[float, Field(ge=0, le=1)]
MOST = 6  # lines; more are no summary


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Run(_Part):
    """One mode, of the file with this hash. Shares with their 95 % intervals."""

    sha256: str
    mode: str = Field(max_length=20)
    accuracy: Share
    accuracy_interval: Annotated[list[Share], Field(min_length=2, max_length=2)]
    strict_valid_rate: Share
    strict_valid_interval: Annotated[list[Share], Field(min_length=2, max_length=2)]


class Majority(_Part):
    """The answer that is right most often, given to every question."""

    accuracy: Share


class Measured(_Part):
    """PubMedQA, as `medlora-build bench` notes it."""

    items: int = Field(ge=1)
    runs: list[Run]
    majority: Majority | None = None


def lines(manifest: Manifest) -> Iterator[str]:
    """A line a mode for this very file, then what needs no model; nothing where there is none, or none that reads."""
    try:
        measured = Measured.model_validate(manifest.bench.get("pubmedqa"))
    except ValidationError:
        return
    own = [run for run in measured.runs if run.sha256 == manifest.sha256][:MOST]
    if not own:
        return
    yield f"{measured.items:,} questions; in brackets the 95 % interval"
    yield from map(_line, own)
    if measured.majority:
        yield f"the commonest answer to every question: accuracy {percent(measured.majority.accuracy)} %"


def _line(run: Run) -> str:
    accuracy, valid = (
        f"{percent(share)} % ({interval_text((interval[0], interval[1]))})"
        for share, interval in (
            (run.accuracy, run.accuracy_interval),
            (run.strict_valid_rate, run.strict_valid_interval),
        )
    )
    return f"{run.mode}: accuracy {accuracy}, valid answers {valid}"
