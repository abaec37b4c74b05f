"""Runs measurements one after the other: what `python -m benchmarks [NAME ...]` does."""

import argparse
import shlex
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import CalledProcessError
from typing import NoReturn

from benchmarks import (
    app_latency,
    bundle_life,
    decode_many,
    decode_one,
    generate_pubmedqa,
    installed_start,
    parent_memory,
    render,
    report,
    score_rate,
    second_turn,
    start_up,
    starter,
    train_step,
    typed_ahead,
    verify_bundle,
)
from benchmarks.card import card, now
from benchmarks.figure import Figure
from benchmarks.setup import Setup, model_file
from medlora_edge.engine.machine import physical_cores
from medlora_edge.errors import ExitCode, GateError, MedloraError, UsageError

MEASUREMENTS: dict[str, Callable[[Setup], Sequence[Figure]]] = {
    "decode_one": decode_one.measure,
    "decode_many": decode_many.measure,
    "score_rate": score_rate.measure,
    "second_turn": second_turn.measure,
    "generate_pubmedqa": generate_pubmedqa.measure,
    "parent_memory": parent_memory.measure,
    "render": render.measure,
    "start_up": start_up.measure,
    "bundle_life": bundle_life.measure,
    "installed_start": installed_start.measure,
    "starter": starter.measure,
    "typed_ahead": typed_ahead.measure,
    "app_latency": app_latency.measure,
    "train_step": train_step.measure,
    "verify_bundle": verify_bundle.measure,
}


def main(names: Sequence[str] = ()) -> NoReturn:
    """Measure `names`, or what the command line names, or everything; exit with 5 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure speed and memory.")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="how often each side is measured")
    if not names:
        parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of: {', '.join(MEASUREMENTS)}")
    arguments = parser.parse_args()
    try:
        chosen = _known(names or arguments.names) or list(MEASUREMENTS)
        with tempfile.TemporaryDirectory() as workplace:
            _run(chosen, Setup(model_file(), physical_cores(), max(1, arguments.rounds), Path(workplace)))
    except MedloraError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.code)
    sys.exit(ExitCode.DONE)


def _known(names: Sequence[str]) -> list[str]:
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        raise UsageError(f"no such measurement: {', '.join(unknown)}", fix=f"choose from {', '.join(MEASUREMENTS)}")
    return list(names)


def _run(names: Sequence[str], setup: Setup) -> None:
    began = now()
    figures: dict[str, Sequence[Figure]] = {}
    failures: dict[str, str] = {}
    for name in names:
        print(f"measuring {name}", file=sys.stderr)
        try:
            figures[name] = MEASUREMENTS[name](setup)
        except (MedloraError, CalledProcessError, OSError) as error:
            failures[name] = str(error)
            print(f"{name} could not be measured: {error}", file=sys.stderr)
        else:
            report.show(name, figures[name])
    about = card(setup, shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]]), began)
    print(report.write(report.document(about, figures, failures), began))
    missed = [figure.name for some in figures.values() for figure in some if figure.met is False]
    if missed or failures:
        raise GateError(f"not reached: {', '.join([*missed, *failures])}")
