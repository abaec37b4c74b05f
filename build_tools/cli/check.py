"""`medlora-build check`: what a recipe trains, what it needs, and whether it can ever ship, before anything runs."""

from pathlib import Path
from typing import TYPE_CHECKING

from build_tools.cli.arguments import Json, RecipeFile
from medlora_edge.privacy import clean

if TYPE_CHECKING:
    from rich.table import Table

    from build_tools.preflight.report import CheckReport
    from build_tools.recipe import Recipe


def check(recipe: RecipeFile, *, as_json: Json = False) -> None:
    """Validate a recipe, count its trained weights, plan its memory, and look for what would stop its export.

    Needs no weights where the base has a shape.
    """
    from build_tools.recipe import absent, load

    loaded = load(recipe, planned=True)

    from build_tools.preflight.check import check as check_recipe
    from build_tools.preflight.report import require

    report = check_recipe(loaded, recipe.parent)
    missing = absent(loaded, recipe.parent)
    if as_json:
        _print_json(loaded, report, missing)
    else:
        _print_page(loaded, report, missing)
    require(report)


def _print_json(recipe: "Recipe", report: "CheckReport", missing: tuple[Path, ...]) -> None:
    import json
    from dataclasses import asdict

    stages = [
        {
            "name": stage.name,
            **asdict(stage.counts),
            "percent": stage.counts.percent,
            "percent_packed_4bit": stage.counts.percent_packed_4bit,
            "memory": {device: {**plan.parts, "total": plan.total} for device, plan in stage.plans.items()},
        }
        for stage in report.stages
    ]
    document = {
        "recipe": recipe.name,
        "stages": stages,
        "device": report.device,
        "available": report.available,
        "export": recipe.export.model_dump(mode="json"),
        "problems": [problem.model_dump(mode="json") for problem in report.problems],
        "not_checked": list(report.not_checked),
        "missing": [str(path) for path in missing],
    }
    print(json.dumps(document, indent=1))


def _print_page(recipe: "Recipe", report: "CheckReport", missing: tuple[Path, ...]) -> None:
    from medlora_edge.cli.console import console

    print(clean(f"{recipe.name}: {recipe.source}\n"))
    console().print(_counts(report))
    console().print(_memory(report))
    print()
    for problem in report.problems:
        if problem.severity != "error":
            place = f" ({problem.where})" if problem.where else ""
            print(clean(f"{problem.severity}: {problem.what}{place}"))
            if problem.fix:
                print(clean(f"  what to do: {problem.fix}"))
    for line in report.not_checked:
        print(clean(line))
    for path in missing:
        print(clean(f"not here yet: {path}"))
    if not report.errors:
        print(clean(_verdict(recipe)))


def _counts(report: "CheckReport") -> "Table":
    """Trained weights by stage; the second percentage is what programs say that count packed storage."""
    table = _table("stage", "trained weights", "of all weights", "%", "% of packed 4-bit storage")
    for stage in report.stages:
        counts = stage.counts
        shares = f"{counts.percent:.4f}", f"{counts.percent_packed_4bit:.4f}"
        table.add_row(clean(stage.name), f"{counts.trainable:,}", f"{counts.total:,}", *shares)
    return table


def _memory(report: "CheckReport") -> "Table":
    from medlora_edge.models.units import size_text

    devices = sorted({device for stage in report.stages for device in stage.plans})
    table = _table("\nmemory", *(f"\n{stage.name}, {device}" for stage in report.stages for device in devices))
    plans = [stage.plans[device] for stage in report.stages for device in devices]
    for part in plans[0].parts if plans else ():
        table.add_row(part, *(size_text(plan.parts[part]) for plan in plans))
    table.add_row("needed", *(size_text(plan.total) for plan in plans), style="bold")
    table.add_row(f"free here ({report.device})", size_text(report.available), style="bold")
    return table


def _verdict(recipe: "Recipe") -> str:
    if recipe.export.type == "none":
        return f"It can be trained, not exported: {recipe.export.reason}"
    return f"It can be trained, and exported as {recipe.export.type}."


def _table(*columns: str) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        table.add_column(clean(column), justify="right" if index else "left", overflow="fold")
    return table
