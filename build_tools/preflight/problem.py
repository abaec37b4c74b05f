"""One finding of the preflight: what is wrong, where, and what to do about it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from medlora_edge.errors import ExitCode, MedloraError


class Problem(BaseModel):
    """`error`: training must not start. `warning`: it can, but the user should know. `note`: a fact of this model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    severity: Literal["error", "warning", "note"]
    what: str
    where: str | None = None
    fix: str | None = None
    exit_code: ExitCode = ExitCode.USAGE

    @classmethod
    def of(cls, error: MedloraError) -> "Problem":
        """The finding that an error means."""
        return cls(severity="error", what=error.what, where=error.where, fix=error.fix, exit_code=error.code)

    def at(self, place: str) -> "Problem":
        """The same finding, its place inside `place`."""
        return self.model_copy(update={"where": f"{place}: {self.where}" if self.where else place})
