"""What all steps of one run share, and how their results become the next steps' inputs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from build_tools.manifest import StepRecord
from build_tools.pipeline.step import Artefact, Outcome, Say, Step, perform
from build_tools.recipe.schema import Recipe
from build_tools.training.watcher import Watcher


@dataclass(frozen=True)
class Chain:
    """One run under way: its recipe, its folder, who wants to hear of it, and the steps `done` so far by name."""

    recipe: Recipe
    recipe_folder: Path
    folder: Path
    watcher: Watcher
    say: Say
    strict: bool = False
    done: dict[str, StepRecord] = field(default_factory=dict)

    def do(
        self,
        name: str,
        work: Callable[[Path], Outcome],
        *,
        inputs: Iterable[Artefact] = (),
        part: object = None,
        libraries: tuple[str, ...] = (),
        kept: tuple[str, ...] = (),
    ) -> StepRecord:
        """Perform one step, or skip it. Raises MedloraError."""
        step = Step(name, work, tuple(inputs), part, self.recipe.seed, libraries, kept)
        self.done[name] = perform(step, self.folder, self.say)
        return self.done[name]

    def output(self, record: StepRecord, path: str = "") -> Artefact:
        """A step's output file or folder (`""`: the step's whole folder). Raises ValueError where there is none."""
        digest = record.sha256_of(path)
        if digest is None:
            raise ValueError(f"step {record.step} has no output {path}")
        name = f"{record.step}/{path}" if path else record.step
        return Artefact(name, self.folder / name, digest, record.step)


@dataclass(frozen=True)
class Lineage:
    """A model in the making: full weights, and the adapters trained on them that are not merged yet.

    `reference`: the model before its first adapter, with which the result is compared.
    """

    base: Artefact
    adapters: tuple[Artefact, ...] = ()
    reference: Artefact | None = None
