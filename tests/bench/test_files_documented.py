"""docs/bench-files.md names every field that the files have."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from medlora_edge.bench import schema
from medlora_edge.bench.kinds import Flag, Origin
from medlora_edge.engine.protocol import Timings

TEXT = (Path(__file__).parents[2] / "docs" / "bench-files.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`(\w+)`", TEXT))

MODELS = (
    schema.Sample,
    schema.RunSettings,
    schema.Resolved,
    schema.ModelCard,
    schema.AdapterCard,
    schema.DataCard,
    schema.Machine,
    schema.Card,
    schema.ClassRow,
    schema.Metrics,
    schema.RunTimings,
    schema.Results,
    Timings,
)


@pytest.mark.parametrize("model", MODELS)
def test_every_field_is_documented(model: type[BaseModel]) -> None:
    assert set(model.model_fields) <= NAMED


def test_every_flag_and_origin_is_documented() -> None:
    assert {*Flag, *Origin} <= NAMED
