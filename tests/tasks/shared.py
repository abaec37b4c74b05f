"""The public data sets beside the checkout, and the hand-written response cases."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from medlora_edge.tasks import Question
from tests.conftest import ROOT

SPECS = ROOT.parent / "shared" / "specs"
CASES = Path(__file__).parent / "cases"


def pubmedqa(shared_data: Path) -> dict[str, dict[str, Any]]:
    with gzip.open(shared_data / "pubmedqa" / "ori_pqal.json.gz") as stream:
        records: dict[str, dict[str, Any]] = json.load(stream)
    return records


def multiple_choice(file: Path) -> Iterator[Question]:
    with gzip.open(file, "rt", encoding="utf-8") as stream:
        for line in stream:
            record = json.loads(line)
            yield Question(id=record["id"], question=record["question"], options=record["options"])


def cases(name: str) -> list[tuple[Question, str, str | None]]:
    """Question, response and expected label of each case."""
    options = json.loads((CASES / "options.json").read_text())
    found = []
    for line in (CASES / f"{name}.jsonl").read_text().splitlines():
        case = json.loads(line)
        question = Question(id="", question="", options=options.get(case.get("options"), {}))
        found.append((question, case["response"], case["label"]))
    return found
