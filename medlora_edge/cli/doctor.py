"""`medlora-edge doctor`: what this machine, this build and the installed models look like."""

import platform
import shutil
from typing import TYPE_CHECKING, Annotated

import typer

from medlora_edge import __version__, paths
from medlora_edge.errors import ExitCode, MedloraError
from medlora_edge.privacy import clean

if TYPE_CHECKING:
    from medlora_edge.models import Entry

Facts = dict[str, str]


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check versions, processor, engine, memory, models and folders. Exit 1 when something is wrong."""
    from medlora_edge import models

    entries = (*models.installed(), *models.shipped())
    problems: Facts = {}
    report = {
        "versions": _versions(),
        "machine": _machine(),
        "engine": _engine(problems),
        "models": {entry.name: _model(entry, problems) for entry in entries} or {"(none)": "no model is installed"},
        "folders": _folders(problems),
        "problems": problems,
    }
    if as_json:
        import json

        typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        _print(report)
    if problems:
        raise typer.Exit(ExitCode.UNEXPECTED)


def _versions() -> Facts:
    from importlib.metadata import version

    libraries = ("llama-cpp-python", "jinja2", "pydantic", "typer", "rich", "psutil")
    return {
        "medlora-edge": __version__,
        "python": platform.python_version(),
        **{lib: version(lib) for lib in libraries},
    }


def _machine() -> Facts:
    import psutil

    from medlora_edge.models.memory_available import available_memory
    from medlora_edge.models.units import size_text

    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": f"{psutil.cpu_count(logical=False)} physical, {psutil.cpu_count()} logical",
        "memory": f"{size_text(available_memory())} free of {size_text(psutil.virtual_memory().total)}",
    }


def _engine(problems: Facts) -> Facts:
    from medlora_edge.engine import Engine

    try:
        with Engine() as engine:
            ready = engine.ready
    except MedloraError as error:
        problems["engine"] = error.what
        return {"state": error.what}
    return {
        "llama.cpp": ready.llama_cpp,
        "CPU variant": ready.variant,
        "backends": ready.backends,
        "GPU": "offload available" if ready.gpu_offload else "none in this build: CPU only",
    }


def _model(entry: "Entry", problems: Facts) -> str:
    from medlora_edge import models

    if entry.model is None:
        problems[f"model {entry.name}"] = str(entry.problem)
        return str(entry.problem)
    try:
        models.verify(entry.model)
    except MedloraError as error:
        problems[f"model {entry.name}"] = error.what
        return error.what
    intact = f"intact, sha256 {entry.model.manifest.sha256[:16]}..."
    return "; ".join(filter(None, (intact, models.warning(entry.model))))


def _folders(problems: Facts) -> Facts:
    from medlora_edge.models.units import size_text

    facts = {}
    for name, place in (("data", paths.data_dir()), ("settings", paths.config_dir()), ("state", paths.state_dir())):
        try:
            facts[name] = f"{paths.private_folder(place)} ({size_text(shutil.disk_usage(place).free)} free)"
        except MedloraError as error:
            problems[f"folder {name}"] = facts[name] = error.what
    return facts


def _print(report: dict[str, Facts]) -> None:
    for section, facts in report.items():
        if section == "problems":
            continue
        typer.echo(section)
        for name, fact in facts.items():
            typer.echo(f"  {clean(name):<18} {clean(fact)}")
    for name, problem in report["problems"].items():
        typer.echo(f"PROBLEM with {clean(name)}: {clean(problem)}")
    if not report["problems"]:
        typer.echo("nothing wrong was found")
