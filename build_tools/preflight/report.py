"""What `check` found: counts and memory by stage, and the problems."""

from dataclasses import dataclass

from build_tools.bases.counts import Counts
from build_tools.preflight.memory_plan import Device, MemoryPlan
from build_tools.preflight.problem import Problem
from medlora_edge.errors import ExitCode, MedloraError


@dataclass(frozen=True)
class StageCheck:
    """What a stage trains, and what memory it takes on each kind of device."""

    name: str
    counts: Counts
    plans: dict[Device, MemoryPlan]


@dataclass(frozen=True)
class CheckReport:
    """The whole preflight. `available`: bytes that are free on `device`, where this machine would train.

    `not_checked`: what has to wait for files that are not there yet.
    """

    stages: tuple[StageCheck, ...]
    device: Device
    available: int
    problems: tuple[Problem, ...]
    not_checked: tuple[str, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that training must not start with."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def exit_code(self) -> ExitCode:
        """That of the first error."""
        return self.errors[0].exit_code if self.errors else ExitCode.DONE


def require(report: CheckReport) -> CheckReport:
    """Return a report without errors. Otherwise raise them all as one MedloraError of the first one's exit code."""
    if not report.errors:
        return report
    first, *others = report.errors
    what = "\n".join([first.what, *(f"{problem.what} ({problem.where})" for problem in others)])
    fixes = dict.fromkeys(problem.fix for problem in report.errors if problem.fix)
    error = MedloraError(what, where=first.where, fix="; ".join(fixes) or None)
    error.code = first.exit_code
    raise error
