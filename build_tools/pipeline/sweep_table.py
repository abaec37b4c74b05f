"""What each trial of a sweep came to, and the one table of all of them: CSV, JSON, Markdown."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from build_tools.gates.report import GateReport
from build_tools.pipeline import runfolder
from build_tools.pipeline.run import Phase
from medlora_edge.files import write_atomic

FIGURES = ("status", "held_out_loss", "quantised_loss", "trainable", "seconds", "peak_bytes", "gates_met", "error")


class TrialResult(BaseModel):
    """One trial. Losses in nats a trained token: the trained adapter's, and the shipped GGUF's.

    `upto`: the phase that it was to reach. `seconds` of all its steps; `peak_bytes` while it trained; `gates_met`:
    figures that met their bar, of all measured.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    overrides: dict[str, JsonValue]
    upto: Phase
    status: Literal["done", "failed"]
    error: str = ""
    exit_code: int = 0
    held_out_loss: float | None = None
    quantised_loss: float | None = None
    trainable: int | None = None
    seconds: float = 0.0
    peak_bytes: int | None = None
    gates_met: str = ""


def figures(folder: Path) -> dict[str, Any]:
    """The figures that a trial's run folder holds so far. Raises CorruptError."""
    records = runfolder.records(folder)
    trained: list[dict[str, Any]] = [record.facts for name, record in records.items() if name.startswith("train/")]
    losses: Any = records["gate"].facts["losses"] if "gate" in records else {}
    return {
        "held_out_loss": trained[-1]["held_out_loss"] if trained else None,
        "quantised_loss": min(losses.values(), default=None),
        "trainable": trained[-1]["trainable_parameters"] if trained else None,
        "seconds": round(sum(record.seconds for record in records.values()), 1),
        "peak_bytes": max((facts["peak_bytes"] for facts in trained), default=None),
        "gates_met": _met([*_rejected(folder), *(report for record in records.values() for report in record.gates)]),
    }


def _rejected(folder: Path) -> Iterator[GateReport]:
    """Reports of what missed its gate, which has no record."""
    return (GateReport.model_validate_json(path.read_bytes()) for path in folder.rglob("*.rejected.json"))


def _met(reports: Sequence[GateReport]) -> str:
    measures = [measure for report in reports for measure in report.measures]
    return f"{sum(measure.passed for measure in measures)}/{len(measures)}" if measures else ""


def write_tables(folder: Path, keys: Sequence[str], results: Sequence[TrialResult]) -> None:
    """Write `table.csv`, `table.json` and `table.md`. Raises OSError as the disk gives it."""
    header = ["id", *keys, *FIGURES]
    rows = [_row(result, keys) for result in results]
    write_atomic(folder / "table.csv", _csv(header, rows).encode())
    records = [dict(zip(header, row, strict=True)) for row in rows]
    write_atomic(folder / "table.json", json.dumps(records, indent=1, ensure_ascii=False).encode() + b"\n")
    write_atomic(folder / "table.md", _markdown(header, rows).encode())


def _row(result: TrialResult, keys: Sequence[str]) -> list[Any]:
    return [result.id, *(result.overrides.get(key) for key in keys), *(getattr(result, name) for name in FIGURES)]


def _csv(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    stream = io.StringIO()
    csv.writer(stream).writerows([header, *rows])
    return stream.getvalue()


def _markdown(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(map(_cell, line)) + " |\n" for line in lines)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.5g}"
    return "" if value is None else " ".join(str(value).split()).replace("|", "\\|")
