"""A bench inside the app with the real engine: begun, stopped, gone on with; and what it leaves behind for the chat."""

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from medlora_edge import models, paths
from medlora_edge.bench import journal, runfolder
from medlora_edge.bench.begin import job_for, measure
from medlora_edge.bench.library import sample
from medlora_edge.bench.schema import Sample
from medlora_edge.engine import Engine
from medlora_edge.errors import EngineError, InUseError
from medlora_edge.settings import EngineSettings
from medlora_edge.tui.about_models.bench_state import Phase
from medlora_edge.tui.about_models.benching import Watch
from medlora_edge.tui.app import EdgeApp
from medlora_edge.tui.screens.bench import BenchScreen
from medlora_edge.tui.screens.chat import ChatScreen
from medlora_edge.tui.session.session import Session
from medlora_edge.tui.widgets.run_list import RunList
from tests.bench.test_run import Watch as Quiet
from tests.tui.apps import FakeApp, screen_text, until
from tests.tui.test_bench import open_run
from tests.tui.waiting import wait_until

pytestmark = pytest.mark.asyncio
LIMIT = 10


@pytest.fixture(autouse=True)
def installed(tiny_gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "shipped_models_dir", lambda: None)
    models.add(tiny_gguf, name="tiny")


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first run waits for its stop behind its third answer: a model this small would be done before."""
    answered, first = Watch.answered, iter([True])

    def until_stopped(self: Watch, one: Sample) -> None:
        answered(self, one)
        if self._tally.done == 3 and next(first, False):
            wait_until(lambda: self._bench._stopped)

    monkeypatch.setattr(Watch, "answered", until_stopped)


async def begun(pilot: Pilot[None], app: EdgeApp) -> None:
    await pilot.press("f5")
    await until(pilot, lambda: isinstance(app.screen, BenchScreen), "the Bench screen")
    await until(pilot, lambda: app.screen.query_one(RunList).option_count, "what there is was looked at")
    app.screen.query_one("#limit", Input).focus()
    await pilot.press(*str(LIMIT), "enter")


async def over(pilot: Pilot[None], app: EdgeApp) -> None:
    await until(pilot, lambda: not app.bench.running, "the run is over")
    await pilot.pause()


def answered(app: EdgeApp, at_least: int) -> Callable[[], bool]:
    return lambda: app.bench.at.tally is not None and app.bench.at.tally.done >= at_least


@pytest.mark.usefixtures("held")
async def test_stopped_within_a_question_and_gone_on_with_it_ends_as_if_unbroken(tmp_path: Path) -> None:
    job = job_for({"mode": "score", "limit": LIMIT}, model="tiny", dataset=sample())
    with Engine(log=tmp_path / "engine.log") as engine:
        unbroken = measure(job, tmp_path / "unbroken", engine, Quiet())
    app = FakeApp()
    async with app.run_test() as pilot:
        await begun(pilot, app)
        await until(pilot, answered(app, 3), "three are answered")
        await pilot.press("escape")
        await over(pilot, app)
        assert app.bench.at.phase is Phase.STOPPED
        folder = paths.runs_dir() / job.folder_name
        kept = journal.read(folder / journal.NAME)
        assert 3 <= len(kept) < LIMIT
        assert not any(line.error for line in kept.values())
        await pilot.press("r")
        await over(pilot, app)
        await until(pilot, lambda: "UNTRAINED MODEL" in screen_text(app))
        again = journal.read(folder / journal.NAME)
    assert app.bench.at.results
    assert app.bench.at.results.metrics == unbroken.metrics == runfolder.read_results(folder).metrics  # type: ignore[union-attr]
    assert {id_: line.label_logprobs for id_, line in again.items()} == {
        id_: line.label_logprobs for id_, line in journal.read(tmp_path / "unbroken" / journal.NAME).items()
    }
    assert all(again[id_] == line for id_, line in kept.items())


async def test_stopped_before_the_first_question_it_begins_again() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await begun(pilot, app)
        await until(pilot, lambda: app.bench.running, "it has begun")
        await pilot.press("escape")
        await over(pilot, app)
        assert app.bench.at.phase is Phase.STOPPED
        await pilot.press("r")
        await until(pilot, lambda: app.bench.at.phase is Phase.DONE, "it is done")
        assert app.bench.at.results
        assert app.bench.at.results.metrics.n == LIMIT


async def test_a_folder_that_another_program_holds_is_a_card(tmp_path: Path) -> None:
    job = job_for({"mode": "score", "limit": LIMIT}, model="tiny", dataset=sample())
    app = FakeApp()
    with runfolder.hold(paths.runs_dir() / job.folder_name):
        async with app.run_test(size=(100, 40)) as pilot:
            await begun(pilot, app)
            await over(pilot, app)
            assert app.bench.at.phase is Phase.FAILED
            assert "this run folder is in use" in screen_text(app)


async def test_the_chat_lets_its_engine_go_and_gets_it_back(tmp_path: Path) -> None:
    engine = Engine(log=tmp_path / "chat.log")
    app = EdgeApp(
        lambda post: Session(post, settings=EngineSettings(context=512, threads=1), engine=engine), private=True
    )
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.chat.is_mounted and app.chat.standing.ready, "the model is ready")
        assert engine.pid
        await begun(pilot, app)
        await until(pilot, answered(app, 1), "one is answered")
        assert engine.pid is None
        await over(pilot, app)
        await pilot.press("f5")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        app.chat.prompt.fill("What is sepsis?")
        await pilot.press("enter")
        await until(pilot, lambda: app.chat.transcript.turns(), "the question is asked")
        await until(pilot, lambda: not app.chat.busy, "and answered")
        assert engine.pid


@pytest.mark.usefixtures("held")
async def test_quitting_stops_the_run_which_is_found_again_and_gone_on_with() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await begun(pilot, app)
        await until(pilot, answered(app, 3), "three are answered")
    await _gone(app)
    (folder,) = runfolder.all_runs()
    with runfolder.hold(folder):
        assert 3 <= len(journal.read(folder / journal.NAME)) < LIMIT
    again = FakeApp()
    async with again.run_test(size=(100, 40)) as pilot:
        await pilot.press("f5")
        await until(pilot, lambda: "unfinished" in screen_text(again), "the run is listed")
        await open_run(pilot, again, folder.name)
        await until(pilot, lambda: "UNFINISHED" in screen_text(again), "what is done can be read")
        await pilot.press("r")
        await until(pilot, lambda: again.bench.at.phase is Phase.DONE, "the rest is asked")
    assert runfolder.read_results(folder).finished  # type: ignore[union-attr]


async def _gone(app: EdgeApp) -> None:
    """The run's engine has ended, which ends the run, which lets its folder go."""
    engine = app.bench._engine
    assert engine
    with pytest.raises(EngineError):
        engine.stats()
    wait_until(lambda: not any(map(_held, runfolder.all_runs())), "its folder is free")


def _held(folder: Path) -> bool:
    try:
        with runfolder.hold(folder):
            return False
    except InUseError:
        return True
