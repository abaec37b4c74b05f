"""What to change in a stage that does not fit into memory, the change that saves most first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from build_tools.bases.counts import Skeleton
from build_tools.preflight.activations import Stage
from build_tools.preflight.memory_plan import MemoryPlan, plan
from build_tools.recipe.schema import Adapter
from medlora_edge.models.units import size_text

SHORTEST = 128  # tokens: below that no prompt of ours fits


@dataclass(frozen=True)
class Advice:
    """One change to the recipe's stage, and how many bytes it then needs."""

    change: str
    needed: int

    def __str__(self) -> str:
        return f"{self.change} (then {size_text(self.needed)})"


def advice(config: Mapping[str, Any], model: Skeleton, stage: Stage, now: MemoryPlan) -> list[Advice]:
    """Every single change that saves memory, by how much it saves."""
    found = [
        Advice(change, plan(config, model, changed, now.device).total) for change, changed in _changes(stage)
    ]  # fmt: skip
    return sorted((item for item in found if item.needed < now.total), key=lambda item: item.needed)


def _changes(stage: Stage) -> Iterator[tuple[str, Stage]]:
    batch = stage.batch
    if not stage.checkpoint_activations:
        yield "checkpoint_activations: true", stage.model_copy(update={"checkpoint_activations": True})
    if batch.micro > 1:
        micro, accumulation = batch.micro // 2, -(-batch.accumulation * batch.micro // (batch.micro // 2))
        smaller = batch.model_copy(update={"micro": micro, "accumulation": accumulation})
        yield f"batch.micro: {micro} with accumulation: {accumulation}", stage.model_copy(update={"batch": smaller})
    if stage.max_length >= 2 * SHORTEST:
        half = stage.max_length // 2
        yield f"max_length: {half}", stage.model_copy(update={"max_length": half})
    if stage.load_bits != 4 and isinstance(stage.adapter, Adapter):
        yield "load_bits: 4", stage.model_copy(update={"load_bits": 4})
    if stage.optimiser.name != "adamw_bnb_8bit":
        smaller_state = stage.optimiser.model_copy(update={"name": "adamw_bnb_8bit"})
        yield "optimiser.name: adamw_bnb_8bit", stage.model_copy(update={"optimiser": smaller_state})
