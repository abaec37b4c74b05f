"""One stage of training in the model card: each figure of its column."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from build_tools.manifest import StepRecord
from build_tools.recipe.schema import Adapter, Stage
from medlora_edge.models.units import size_text


@dataclass(frozen=True)
class StageFacts:
    """A stage of the recipe, with what its data and its training came to."""

    spec: Stage
    data: Mapping[str, Any]
    trained: Mapping[str, Any]


def stage_facts(spec: Stage, done: Mapping[str, StepRecord]) -> StageFacts:
    """Find a stage's figures in the records of a run."""
    return StageFacts(spec, done[f"data/{spec.name}"].facts, done[f"train/{spec.name}"].facts)


def _adapter(stage: StageFacts) -> str:
    match stage.spec.adapter:
        case Adapter() as lora:
            targets = lora.target_modules if isinstance(lora.target_modules, str) else ", ".join(lora.target_modules)
            kind = "rsLoRA" if lora.use_rslora else "LoRA"
            return f"{kind} rank {lora.rank}, alpha {lora.alpha}, dropout {lora.dropout}, on {targets}"
        case _:
            return "none: all weights"


def _optimiser(stage: StageFacts) -> str:
    optimiser, schedule = stage.spec.optimiser, stage.spec.schedule
    return f"{optimiser.name}, learning rate {optimiser.learning_rate}, {schedule.name}"


def _batch(stage: StageFacts) -> str:
    batch = stage.spec.batch
    return f"{batch.micro} x {batch.accumulation}, rows of at most {stage.spec.max_length} tokens"


def _percent(stage: StageFacts, total: str) -> str:
    counts = stage.trained["counts"]
    return f"{100 * counts['trainable'] / counts[total]:.4f} %"


def _loss(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _lengths(stage: StageFacts) -> str:
    return ", ".join(f"{name} {length}" for name, length in stage.data["lengths"].items())


def _refused(stage: StageFacts) -> str:
    reasons = ", ".join(f"{count} {reason}" for reason, count in stage.data["refused"].items())
    return f"{stage.data['dropped']}{f' ({reasons})' if reasons else ''}"


def _left_out(stage: StageFacts) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in stage.data["left_out"].items()) or "-"


def _labels(stage: StageFacts) -> str:
    """Of the sources whose questions are made by a rule, the answers that it gave."""
    sources = [source for source in stage.data["sources"] if source["labels"]]
    told = (
        f"{source['file']}: {', '.join(f'{count} {label}' for label, count in source['labels'].items())}"
        for source in sources
    )
    return "; ".join(told) or "-"


ROWS: dict[str, Callable[[StageFacts], str]] = {
    "kind": lambda stage: stage.spec.kind,
    "documents held out": lambda stage: f"{stage.data['held_out']:,}",
    "documents dropped": _refused,
    "records left out": _left_out,
    "fixed answers": _labels,
    "documents cut": lambda stage: f"{stage.data['truncated']:,}",
    "tokens a document": _lengths,
    "rows": lambda stage: f"{stage.data['rows']:,}",
    "tokens": lambda stage: f"{stage.data['tokens']:,}",
    "of them with a loss": lambda stage: f"{stage.data['trained_tokens']:,}",
    "adapter": _adapter,
    "earlier adapters": lambda stage: {"merge": "merged", "stack": "stacked below", None: "-"}[stage.spec.previous],
    "weights trained": lambda stage: f"{stage.trained['counts']['trainable']:,}",
    "of all weights": lambda stage: _percent(stage, "total"),
    "of all, packed": lambda stage: _percent(stage, "total_packed_4bit"),
    "base loaded in": lambda stage: f"{stage.spec.load_bits} bits",
    "optimiser": _optimiser,
    "batch": _batch,
    "steps": lambda stage: f"{stage.trained['steps']:,}",
    "tokens seen": lambda stage: f"{stage.trained['tokens']:,}",
    "loss": lambda stage: _loss(stage.trained["loss"]),
    "held-out loss": lambda stage: _loss(stage.trained["held_out_loss"]),
    "time": lambda stage: f"{stage.trained['seconds']:,.0f} s",
    "tokens a second": lambda stage: f"{stage.trained['tokens_per_second']:,.0f}",
    "peak memory": lambda stage: size_text(stage.trained["peak_bytes"]),
}
