"""`medlora-edge paths`: where everything lies."""

from typing import Annotated

import typer

from medlora_edge import paths


def show_paths(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show the folders that the program uses."""
    places = {
        "models": paths.models_dir(),
        "data sets": paths.datasets_dir(),
        "bench runs": paths.runs_dir(),
        "settings": paths.settings_file(),
        "engine log": paths.engine_log(),
        "shipped models": paths.shipped_models_dir(),
    }
    if as_json:
        import json

        typer.echo(json.dumps({name: str(place) if place else None for name, place in places.items()}, indent=2))
        return
    for name, place in places.items():
        typer.echo(f"{name:<15} {place or '(none)'}")
