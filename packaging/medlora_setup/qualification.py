"""What an installation qualification consists of: checks with their outcome, figures, and what was qualified where."""

from dataclasses import dataclass
from enum import StrEnum

Rows = tuple[tuple[str, str], ...]


class Outcome(StrEnum):
    """How a check ended. What a machine does not allow is no pass."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_POSSIBLE = "not possible here"


@dataclass(frozen=True)
class Check:
    """One check in words: what was done, what was found."""

    name: str
    done: str
    found: str
    outcome: Outcome


@dataclass(frozen=True)
class Qualification:
    """One qualification of one installed version. `date` is UTC; each row is a name and a value."""

    product: str
    version: str
    serial: int
    date: str
    identity: Rows
    machine: Rows
    models: Rows
    checks: tuple[Check, ...]
    bench: Rows

    @property
    def failed(self) -> bool:
        """Whether any check failed."""
        return any(check.outcome is Outcome.FAILED for check in self.checks)

    @property
    def verdict(self) -> str:
        """The outcome in one sentence."""
        counts = {outcome: sum(check.outcome is outcome for check in self.checks) for outcome in Outcome}
        passed = f"{counts.pop(Outcome.PASSED)} of {len(self.checks)} checks passed"
        rest = [f"{number} {outcome}" for outcome, number in counts.items() if number]
        word = "Failed" if self.failed else "Passed as far as it could be checked" if rest else "Passed"
        return f"{word}: {', '.join((passed, *rest))}"
