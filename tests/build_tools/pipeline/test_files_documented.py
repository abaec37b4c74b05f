"""docs/build-files.md names every field that the files of a run have."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from build_tools.gates.report import GateReport, Measure
from build_tools.manifest import Code, Hardware, Output, StepRecord
from build_tools.pipeline.runfolder import Description
from build_tools.pipeline.sweep_table import TrialResult

TEXT = (Path(__file__).parents[3] / "docs" / "build-files.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`(\w+)`", TEXT))


@pytest.mark.parametrize("model", [StepRecord, Output, Code, Hardware, GateReport, Measure, Description, TrialResult])
def test_every_field_is_documented(model: type[BaseModel]) -> None:
    assert set(model.model_fields) <= NAMED
