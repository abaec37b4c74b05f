"""`medlora-edge models`: what is installed, what it needs, and how to add or remove it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medlora_edge.errors import MedloraError
from medlora_edge.privacy import clean

if TYPE_CHECKING:
    from rich.table import Table

    from medlora_edge.models import GgufHeader, MemoryPlan, Model
    from medlora_edge.models.hashing import Progress

app = typer.Typer(help="Install, inspect and remove models.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A model's name, see `models list`.")]
OptionalName = Annotated[str | None, typer.Argument(metavar="[NAME]", help="A model's name.")]
NewName = Annotated[str | None, typer.Option("--name", help="Name in the catalogue; by default the file's.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command("list")
def list_models() -> None:
    """List the models that can be used; * marks the one that is."""
    from medlora_edge import models
    from medlora_edge.cli.console import console
    from medlora_edge.models.units import size_text
    from medlora_edge.models.words import marks

    entries = (*models.installed(), *models.shipped())
    if not entries:
        typer.echo("No model is installed. Install one with: medlora-edge models add FILE")
        return
    table = _table("", "name", "size", "quantisation", "architecture", "context", "licence", "notes")
    used = _used_name()
    for entry in entries:
        mark = "*" if entry.name == used else ""
        if not entry.model:
            what = entry.problem.what if entry.problem else ""
            table.add_row(mark, clean(entry.name), *[""] * 5, clean(f"broken: {what}"))
            continue
        seen = entry.model.manifest
        cells = (entry.name, size_text(seen.size_bytes), seen.quantisation, seen.architecture)
        more = (f"{seen.context_length:,}", seen.licence or "not stated", ", ".join(marks(entry.model)))
        table.add_row(mark, *map(clean, (*cells, *more)))
    console().print(table)
    for warning in dict.fromkeys(models.warning(entry.model) for entry in entries if entry.model):
        if warning:
            typer.echo(f"\n{warning}")


@app.command()
def add(path: Annotated[Path, typer.Argument(metavar="PATH", help="A GGUF file.")], name: NewName = None) -> None:
    """Check a GGUF file and install it."""
    from medlora_edge import models

    with _progress("reading and hashing") as on_progress:
        model = models.add(path, name=name, on_progress=on_progress)
    _say_installed(model)


@app.command()
def info(
    model: Annotated[str | None, typer.Argument(metavar="[NAME|FILE]", help="By default the one in use.")] = None,
    context: Annotated[
        int | None,
        typer.Option("--context", min=1, metavar="N", help="Plan the memory for N tokens; by default the setting."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what a model is, and whether it fits into memory."""
    from medlora_edge import models
    from medlora_edge.settings import load_settings

    with _progress("hashing") as on_progress:
        found = models.find(model, on_progress)
    header = models.read_header(found.path)
    models.check(header)
    options = models.chat_options(header, load_settings().engine)
    planned = models.plan(header, options.model_copy(update={"n_ctx": context}) if context else options)
    if as_json:
        _print_json(_record(found, header, planned))
    else:
        _print_page(found, header, planned)


@app.command()
def verify(name: OptionalName = None) -> None:
    """Hash models again and compare with what was installed; without a name, all of them."""
    from medlora_edge import models

    entries = (*models.installed(), *models.shipped())
    chosen = [models.find(name)] if name else [entry.model for entry in entries if entry.model]
    problems = [] if name else [entry.problem for entry in entries if entry.problem]
    for model in chosen:
        try:
            with _progress(f"hashing {clean(model.name)}") as on_progress:
                models.verify(model, on_progress, fresh=True)
        except MedloraError as error:
            problems.append(error)
        else:
            typer.echo(f"{clean(model.name)}: intact")
    for problem in problems[1:]:
        typer.echo(f"error: {clean(str(problem))}", err=True)
    if problems:
        raise problems[0]


@app.command()
def remove(name: NameArgument, yes: Yes = False) -> None:
    """Delete an installed model from the disk."""
    from medlora_edge import models

    if not yes:
        typer.confirm(f"Delete the model {clean(name)!r}?", abort=True, err=True)
    models.remove(name)
    typer.echo(f"{clean(name)}: removed")


@app.command()
def default(name: OptionalName = None) -> None:
    """Show the model that is used without --model, or choose it."""
    from medlora_edge import models

    model = models.set_default(name) if name else models.find(None)
    typer.echo(clean(model.name))


@app.command()
def fetch(
    repo: Annotated[str, typer.Argument(metavar="REPO", help="Such as owner/name.")],
    file: Annotated[str, typer.Argument(metavar="FILE", help="A GGUF file in it.")],
    revision: Annotated[str | None, typer.Option("--revision", help="Branch, tag or commit.")] = None,
    name: NewName = None,
    yes: Yes = False,
) -> None:
    """Download a model from Hugging Face and install it. The only command that uses a network."""
    from medlora_edge.models import fetch as fetching
    from medlora_edge.models.units import size_text

    offer = fetching.look_up(repo, file, revision)
    typer.echo(clean(f"{offer.repo}/{offer.file} at {offer.revision[:12]}"), err=True)
    typer.echo(clean(f"size {size_text(offer.size_bytes)}, licence {offer.licence or 'not stated'}"), err=True)
    if not yes:
        typer.confirm("Download it?", abort=True, err=True)
    with _progress("checking and hashing") as on_progress:
        model = fetching.fetch(offer, name=name, on_progress=on_progress)
    _say_installed(model)


def _used_name() -> str | None:
    """The model that answers without --model, if there is one that works."""
    from medlora_edge import models
    from medlora_edge.errors import MedloraError

    try:
        return models.find(None).name
    except MedloraError:
        return None


def _say_installed(model: "Model") -> None:
    typer.echo(clean(f"installed {model.name}: {model.manifest.architecture}, {model.manifest.quantisation}"))
    if _used_name() == model.name:
        typer.echo("it is used from now on")
    else:
        typer.echo(clean(f"use it with --model {model.name}, or always: medlora-edge models default {model.name}"))


def _record(model: "Model", header: "GgufHeader", planned: "MemoryPlan") -> dict[str, object]:
    from dataclasses import asdict

    return {
        **model.manifest.model_dump(mode="json"),
        "path": str(model.path),
        "shipped": model.shipped,
        "template_source": "model" if header.template_sha256 else "chatml",
        "memory": {**asdict(planned), "total": planned.total, "fits": planned.fits},
    }


def _print_json(record: dict[str, object]) -> None:
    import json

    typer.echo(json.dumps(record, indent=2))


def _print_page(model: "Model", header: "GgufHeader", planned: "MemoryPlan") -> None:
    from medlora_edge.cli.console import console
    from medlora_edge.models import warning
    from medlora_edge.models.units import size_text
    from medlora_edge.models.words import marks, memory_verdict

    seen = model.manifest
    types = ", ".join(f"{count} {kind}" for kind, count in seen.tensor_types.items())
    template = f"its own, SHA-256 {header.template_sha256[:12]}" if header.template_sha256 else "none: ChatML is used"
    page = {
        "model": f"{model.name}  {', '.join(marks(model))}",
        "file": f"{model.path}  {size_text(seen.size_bytes)}",
        "SHA-256": seen.sha256,
        "architecture": f"{seen.architecture}, {seen.parameters / 1e6:,.1f} million parameters",
        "quantisation": f"{seen.quantisation}; tensors: {types}",
        "context": f"{seen.context_length:,} tokens",
        "licence": seen.licence or "not stated",
        "chat template": template,
    }
    table = _table("", "", header=False)
    for label, text in page.items():
        table.add_row(label, clean(text))
    console().print(table)
    console().print(_memory_table(planned))
    typer.echo(f"\n{memory_verdict(planned)}")
    if warned := warning(model):
        typer.echo(f"\n{warned}")


def _memory_table(planned: "MemoryPlan") -> "Table":
    from medlora_edge.models.units import size_text
    from medlora_edge.models.words import memory_parts

    table = _table(f"\nmemory at {planned.n_ctx:,} tokens", "\nsize", right=1)
    for name, size in memory_parts(planned).items():
        table.add_row(name, size)
    table.add_row("needed", size_text(planned.total), style="bold")
    table.add_row("free now", size_text(planned.available), style="bold")
    return table


def _table(*columns: str, header: bool = True, right: int | None = None) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=header, header_style="bold")
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index == right else "left", overflow="fold")
    return table


@contextmanager
def _progress(what: str) -> "Iterator[Progress]":
    """A bar on standard error for work that is counted in bytes; it goes away when done."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, visible=False)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=True)

        yield show
