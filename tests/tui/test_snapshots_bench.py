"""Pictures of the Bench screen, to be looked at when they change: both sizes, in colours and without."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from medlora_edge import models, paths
from medlora_edge.bench.kinds import Mode, Origin, Split
from medlora_edge.bench.schema import LABELS, Label, RunSettings
from medlora_edge.errors import InUseError
from medlora_edge.tui.about_models.bench_state import Phase
from medlora_edge.tui.screens.choice import Choice
from tests.bench.samples import card
from tests.models.corpus import valid_gguf
from tests.tui.apps import FakeApp, screen_text, until
from tests.tui.bench_script import Answer, Gate, Play, Stage, Step, keep_run
from tests.tui.test_bench import open_run, opened, started
from tests.tui.test_snapshots import LOOKS, settle

SIZES = [(80, 24), (120, 40)]
IN_USE = InUseError("this run folder is in use by another process", where="runs/mine", fix="wait for it to end")
Compare = Callable[..., bool]


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(params=LOOKS, autouse=True)
def look(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "no-color":
        monkeypatch.setenv("NO_COLOR", "1")
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(autouse=True)
def earlier(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model, and two runs of it; their folder has the same name everywhere."""
    monkeypatch.setattr(paths, "shipped_models_dir", lambda: None)
    models.add(valid_gguf(tmp_path / "mine.gguf"))
    data = card().data.model_copy(update={"origin": Origin.OFFICIAL, "n_split": 500, "n_items": 500})
    generate = RunSettings(mode=Mode.GENERATE, split=Split.TEST)
    labels: list[Label] = [LABELS[n % 4] if n % 4 < 3 else "yes" for n in range(500)]
    keep_run(home, "mine_official_test_generate_0a1b2c3d", labels, data=data, settings=generate)
    half: list[Label] = ["yes"] * 5
    keep_run(home, "mine_sample_test_score_limit12_4e5f6a7b", half, n_items=12, started="2026-01-02T00:00:00+00:00")


def playing(look: str, *steps: Step) -> tuple[FakeApp, Play]:
    app, play = FakeApp(), Play(steps)
    app.bench._measure = play
    if look != "no-color":
        app.theme = look
    return app, play


def test_choosing(look: str, size: tuple[int, int], snap_compare: Compare) -> None:
    app, _ = playing(look)

    async def reach(pilot: Pilot[None]) -> None:
        await opened(pilot, app)
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)


def test_running(look: str, size: tuple[int, int], snap_compare: Compare) -> None:
    app, play = playing(look, Stage("asking"), Gate("asked"), Answer("yes"), Answer("no"), Answer("yes"), Gate("never"))

    async def reach(pilot: Pilot[None]) -> None:
        await started(pilot, app, "12")
        await until(pilot, lambda: "0 of 12" in screen_text(app))
        app.now += 21
        play.open("asked")
        await until(pilot, lambda: "3 of 12" in screen_text(app))
        fix_folder(app)
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)


def test_stopped(look: str, size: tuple[int, int], snap_compare: Compare) -> None:
    app, _ = playing(look, Answer("yes"), Gate("never"))

    async def reach(pilot: Pilot[None]) -> None:
        await started(pilot, app, "12")
        await until(pilot, lambda: "1 of 12" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.bench.at.phase is Phase.STOPPED)
        fix_folder(app)
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)


def test_failed(look: str, size: tuple[int, int], snap_compare: Compare) -> None:
    app, _ = playing(look, IN_USE)

    async def reach(pilot: Pilot[None]) -> None:
        await started(pilot, app, "12")
        await until(pilot, lambda: app.bench.at.phase is Phase.FAILED)
        fix_folder(app)
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)


@pytest.mark.parametrize("page", ["top", "middle"])
def test_report(look: str, size: tuple[int, int], page: str, snap_compare: Compare) -> None:
    app, _ = playing(look)

    async def reach(pilot: Pilot[None]) -> None:
        await opened(pilot, app)
        await open_run(pilot, app, "mine_official_test_generate_0a1b2c3d")
        await until(pilot, lambda: "Result, %" in screen_text(app))
        if page == "middle":
            await pilot.press("pagedown")
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)


def test_comparison(look: str, size: tuple[int, int], snap_compare: Compare) -> None:
    app, _ = playing(look)

    async def reach(pilot: Pilot[None]) -> None:
        await opened(pilot, app)
        await open_run(pilot, app, "mine_official_test_generate_0a1b2c3d")
        await until(pilot, lambda: "Result, %" in screen_text(app))
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, Choice))
        await pilot.press("enter")
        await until(pilot, lambda: "exact McNemar test" in screen_text(app))
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)


def fix_folder(app: FakeApp) -> None:
    """The real one is another on every machine."""
    folder = Path("/home/user/.local/share/medlora-edge/runs/mine_sample_test_score_limit12_4e5f6a7b")
    app.bench._set(replace(app.bench.at, folder=folder))
