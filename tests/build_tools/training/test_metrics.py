"""The metrics file and its picture."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from build_tools.training import curve, metrics
from medlora_edge.errors import CorruptError


def step(number: int) -> metrics.StepLine:
    return metrics.StepLine(
        step=number,
        loss=7 / number,
        learning_rate=1e-4,
        gradient_norm=1.0,
        tokens=10,
        trained_tokens=4,
        seconds=0.1,
        peak_bytes=9,
    )


def test_lines_come_back_without_a_torn_last_one(tmp_path: Path) -> None:
    written: list[metrics.StepLine | metrics.EvaluationLine] = [
        step(1),
        metrics.EvaluationLine(step=1, held_out_loss=3.0),
        step(2),
    ]
    for line in written:
        metrics.append(tmp_path, line)
    with (tmp_path / metrics.NAME).open("a") as stream:
        stream.write('{"step": 3, "lo')
    assert metrics.read(tmp_path) == written


def test_going_on_drops_what_came_after_the_checkpoint(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        metrics.append(tmp_path, step(number))
    metrics.cut(tmp_path, 2)
    assert metrics.read(tmp_path) == [step(1), step(2)]


def test_a_foreign_line_is_named(tmp_path: Path) -> None:
    metrics.append(tmp_path, step(1))
    (tmp_path / metrics.NAME).open("a").write('{"step": 2}\n')
    with pytest.raises(CorruptError) as caught:
        metrics.read(tmp_path)
    assert "line 2" in str(caught.value)


SVG = "{http://www.w3.org/2000/svg}"


def test_the_curve_is_an_svg_with_every_step_and_look(tmp_path: Path) -> None:
    for number in range(1, 30):
        metrics.append(tmp_path, step(number))
    metrics.append(tmp_path, metrics.EvaluationLine(step=29, held_out_loss=1.0))
    curve.write(tmp_path, "a <stage> & more")
    root = ET.fromstring((tmp_path / curve.NAME).read_text())
    raw, smooth = root.findall(f"{SVG}polyline")
    assert len(raw.attrib["points"].split()) == len(smooth.attrib["points"].split()) == 29
    assert len(root.findall(f"{SVG}circle")) == 1
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert "a <stage> & more" in texts
    assert {"step", "nats a token"} <= set(texts)
    places = [tuple(map(float, place.split(","))) for place in raw.attrib["points"].split()]
    assert all(0 <= x <= curve.WIDTH and 0 <= y <= curve.HEIGHT for x, y in places)


@pytest.mark.parametrize("losses", [[], [(1.0, 2.0)], [(1.0, 0.0), (2.0, 0.0)]])
def test_a_short_or_flat_run_has_a_curve_too(losses: list[tuple[float, float]]) -> None:
    drawn = ET.fromstring(curve.svg(losses, [], "short"))
    assert drawn.attrib["viewBox"] == f"0 0 {curve.WIDTH} {curve.HEIGHT}"
