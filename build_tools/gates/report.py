"""A gate's outcome: named figures, each beside its limit."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from medlora_edge.errors import GateError
from medlora_edge.files import write_atomic


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Measure(_Part):
    """One figure and its limit: `value` has to be at most, or at least, `limit`."""

    name: str
    value: float
    limit: float
    side: Literal["at most", "at least"]

    @property
    def passed(self) -> bool:
        """Whether the bar is met; a figure that is no number never meets one."""
        return self.value <= self.limit if self.side == "at most" else self.value >= self.limit

    def __str__(self) -> str:
        return f"{self.name} {self.value:.4g}, {self.side} {self.limit:g}{'' if self.passed else ': MISSED'}"


class GateReport(_Part):
    """All figures of one hop."""

    hop: str
    measures: tuple[Measure, ...]

    @property
    def passed(self) -> bool:
        """Whether every bar is met."""
        return all(measure.passed for measure in self.measures)


def require(report: GateReport, artefact: Path) -> GateReport:
    """Return a report that passed.

    Otherwise the artefact, a file or a folder, is renamed to NAME.rejected with its report beside it, and GateError
    (exit 5) names every figure that missed.
    """
    if report.passed:
        return report
    rejected = artefact.with_name(artefact.name + ".rejected")
    artefact.rename(rejected)
    write_atomic(rejected.with_name(rejected.name + ".json"), report.model_dump_json(indent=2).encode() + b"\n")
    missed = "; ".join(str(measure) for measure in report.measures if not measure.passed)
    raise GateError(
        f"the gate of {report.hop} was not passed: {missed}",
        where=str(rejected),
        fix=f"{rejected.name}.json has every figure; a bar that the recipe moves is named in the card",
    )
