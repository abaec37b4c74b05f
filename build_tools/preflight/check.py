"""The whole preflight of a recipe: everything that can be known before an hour is spent, found in seconds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from build_tools.bases.counts import Skeleton, count_shape, skeleton
from build_tools.bases.prepare import replacement
from build_tools.bases.quiet import quiet
from build_tools.bases.resolve import resolve
from build_tools.bases.shape import CONFIG, shape_of
from build_tools.preflight.activations import Stage
from build_tools.preflight.advice import Advice, advice
from build_tools.preflight.export import check_architecture
from build_tools.preflight.memory_plan import Device, MemoryPlan, plan
from build_tools.preflight.problem import Problem
from build_tools.preflight.report import CheckReport, StageCheck
from build_tools.preflight.tokenizer import check_template, check_tokenizer
from build_tools.preflight.widths import check_widths
from build_tools.recipe.schema import Recipe
from medlora_edge.errors import CorruptError, ExitCode, MedloraError, UsageError
from medlora_edge.models.memory_available import available_memory
from medlora_edge.models.units import size_text

DEVICES: tuple[Device, ...] = ("cpu", "cuda")
SIZES = (("vocab_size",), ("hidden_size", "n_embd"), ("num_hidden_layers", "n_layer"))  # as the layouts name them
TOKENIZER_PARTS = "vocabulary size, tokenizer known to the converter, control tokens"


@dataclass(frozen=True)
class _Machine:
    device: Device
    available: int


def check(recipe: Recipe, recipe_folder: Path) -> CheckReport:
    """Count, plan the memory and try the export, from the base's files or from its shape alone.

    Whatever is wrong with the base or a stage is a problem of the report, not an exception.
    """
    with quiet():
        return _check(recipe, recipe_folder, _machine())


def _check(recipe: Recipe, recipe_folder: Path, machine: _Machine) -> CheckReport:
    try:
        config = shape_of(recipe.base, recipe_folder)
        _require_sizes(config, recipe, recipe_folder)
        model = skeleton(config)
    except MedloraError as error:
        return CheckReport((), machine.device, machine.available, (Problem.of(error),), ())
    found = _local(recipe, recipe_folder)
    stages, problems = _stages(
        recipe, config, model, machine, ready=found is not None or recipe.base.scratch is not None
    )
    exporting, not_checked = _export(recipe, recipe_folder, config, model, found)
    return CheckReport(
        tuple(stages), machine.device, machine.available, (*problems, *_as_wanted(exporting, recipe)), not_checked
    )


def _require_sizes(config: Mapping[str, Any], recipe: Recipe, recipe_folder: Path) -> None:
    """Transformers would fill in a default of its own; the memory plan and the converter have none."""
    for names in SIZES:
        if not any(isinstance(config.get(name), int) for name in names):
            shape = recipe_folder / recipe.base.shape if recipe.base.shape else None
            raise CorruptError(
                f"{' or '.join(f'`{name}`' for name in names)} is missing, or no whole number",
                where=str(shape or (_local(recipe, recipe_folder) or Path()) / CONFIG),
                fix="get the model again",
            )


def _machine() -> _Machine:
    import torch

    if torch.cuda.is_available():
        return _Machine("cuda", int(torch.cuda.mem_get_info()[0]))
    return _Machine("cpu", available_memory())


def _local(recipe: Recipe, recipe_folder: Path) -> Path | None:
    """The base's folder, where it is there; a committed shape serves while it is not."""
    try:
        return resolve(recipe.base, recipe_folder)
    except UsageError:
        return None


def _stages(
    recipe: Recipe, config: Mapping[str, Any], model: Skeleton, machine: _Machine, *, ready: bool
) -> tuple[list[StageCheck], list[Problem]]:
    checked, problems = [], []
    for number, stage in enumerate(recipe.stages):
        found = _length(config, stage)
        try:
            counts = count_shape(config, model, stage.adapter)
            plans = {device: plan(config, model, stage, device) for device in DEVICES}
        except MedloraError as error:
            found.append(Problem.of(error))
        else:
            checked.append(StageCheck(stage.name, counts, plans))
            planned = plans[machine.device]
            ranked = partial(advice, config, model, stage, planned)
            found += _memory(planned, machine.available, ranked, ready=ready)
        problems += [problem.at(f"stages.{number} ({stage.name})") for problem in found]
    return checked, problems


def _length(config: Mapping[str, Any], stage: Stage) -> list[Problem]:
    positions = config.get("max_position_embeddings") or config.get("n_positions") or stage.max_length
    if stage.max_length <= positions:
        return []
    what = f"rows of {stage.max_length} tokens, but the base knows {positions} positions"
    # GPT-2 has one row of a table for each position, the others compute theirs.
    severity: Literal["error", "warning"] = "error" if config["model_type"] == "gpt2" else "warning"
    return [Problem(severity=severity, what=what, where="max_length", fix=f"max_length: {positions}")]


def _memory(planned: MemoryPlan, available: int, ranked: Callable[[], list[Advice]], *, ready: bool) -> list[Problem]:
    """Too little memory is an error where training could start now; a recipe may be checked on another machine."""
    if planned.total <= available:
        return []
    parts = ", ".join(f"{name} {size_text(size)}" for name, size in planned.parts.items() if size)
    return [
        Problem(
            severity="error" if ready else "warning",
            what=f"not enough memory: {size_text(planned.total)} needed ({parts}), {size_text(available)} free",
            fix="; ".join(map(str, ranked())) or "choose a smaller base, or a machine with more memory",
            exit_code=ExitCode.RESOURCES,
        )
    ]


def _export(
    recipe: Recipe, recipe_folder: Path, config: Mapping[str, Any], model: Skeleton, found: Path | None
) -> tuple[list[Problem], tuple[str, ...]]:
    """Problems on the way to a GGUF, and which checks have to wait for the base's files."""
    problems = _tried(lambda: check_architecture(config, model))
    problems += check_widths(model, recipe.export, recipe.gates.quantise.fallback_share)
    if found:
        problems += _tried(lambda: check_tokenizer(config, found))
    if any(stage.kind == "chat" for stage in recipe.stages):
        problems += _tried(lambda: check_template(found, replacement(recipe.base, recipe_folder)))
    if found or recipe.base.scratch:
        return problems, ()
    waiting = (
        (TOKENIZER_PARTS, "the base's own chat template") if recipe.base.chat_template == "base" else (TOKENIZER_PARTS,)
    )
    return problems, tuple(f"not checked: {part} (the base is not on this machine)" for part in waiting)


def _tried(look: Callable[[], list[Problem]]) -> list[Problem]:
    try:
        return look()
    except MedloraError as error:
        return [Problem.of(error)]


def _as_wanted(problems: list[Problem], recipe: Recipe) -> list[Problem]:
    """Where the recipe asks for no GGUF, what stands in its way is a fact to know, not an error."""
    if recipe.export.type != "none":
        return problems
    return [problem.model_copy(update={"severity": "note"}) for problem in problems]
