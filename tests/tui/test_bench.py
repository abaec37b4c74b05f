"""The Bench screen over a scripted run: choose, watch, stop, go on, read, compare, and what cannot be done."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Select

from medlora_edge import models, paths
from medlora_edge.bench import library
from medlora_edge.bench.begin import job_for
from medlora_edge.bench.kinds import Mode, Origin
from medlora_edge.errors import CorruptError, EngineError, InUseError, MedloraError, ResourceError
from medlora_edge.models import Model
from medlora_edge.tui.about_models.bench_state import Phase
from medlora_edge.tui.screens.bench import BenchScreen
from medlora_edge.tui.screens.chat import ChatScreen
from medlora_edge.tui.screens.choice import Choice
from medlora_edge.tui.widgets.run_list import RunList
from tests.bench.samples import card
from tests.models.corpus import valid_gguf
from tests.tui.apps import FakeApp, ask, ended, ready, screen_text, until
from tests.tui.bench_script import Answer, Gate, Play, Stage, keep_run
from tests.tui.fake_session import Hang, Say

pytestmark = pytest.mark.asyncio


@pytest.fixture(autouse=True)
def no_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "shipped_models_dir", lambda: None)


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return models.add(valid_gguf(tmp_path / "mine.gguf"))


def playing(*scripts: list[object]) -> tuple[FakeApp, Play]:
    """The app, its bench runs played."""
    app, play = FakeApp(), Play(*scripts)  # type: ignore[arg-type]
    app.bench._measure = play
    return app, play


async def opened(pilot: Pilot[None], app: FakeApp) -> BenchScreen:
    await ready(pilot, app)
    await pilot.press("f5")
    await until(pilot, lambda: isinstance(app.screen, BenchScreen), "the Bench screen")
    screen = app.screen
    assert isinstance(screen, BenchScreen)
    await until(pilot, lambda: screen.query_one(RunList).option_count, "what there is was looked at")
    return screen


async def started(pilot: Pilot[None], app: FakeApp, limit: str = "4") -> BenchScreen:
    """A run begun by hand, with the offered choice."""
    screen = await opened(pilot, app)
    screen.query_one("#limit", Input).focus()
    await pilot.press(*limit, "enter")
    return screen


async def phase(pilot: Pilot[None], app: FakeApp, wanted: Phase) -> None:
    await until(pilot, lambda: app.bench.at.phase is wanted, f"the run is {wanted}")
    await pilot.pause()


# --- choosing ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("model")
async def test_what_is_chosen_is_measured_in_the_folder_of_the_same_command() -> None:
    app, play = playing([Answer("yes")])
    async with app.run_test() as pilot:
        screen = await opened(pilot, app)
        screen.query_one("#mode", Select).value = Mode.GENERATE
        screen.query_one("#limit", Input).value = "3"
        await pilot.click("#start")
        await phase(pilot, app, Phase.DONE)
    (job,) = play.jobs
    assert (job.settings.mode, len(job.items), job.dataset.origin) == (Mode.GENERATE, 3, Origin.SAMPLE)
    same_command = job_for(
        {"mode": "generate", "limit": 3, "full": False, "seed": 0}, model=None, dataset=library.sample()
    )
    assert app.bench.at.folder == paths.runs_dir() / same_command.folder_name


@pytest.mark.usefixtures("model")
async def test_sample_data_is_said_to_be_a_sample_before_during_and_after() -> None:
    app, play = playing([Gate("go"), Answer("yes")])
    async with app.run_test(size=(100, 50)) as pilot:
        await opened(pilot, app)
        assert "SAMPLE DATA: invented" in screen_text(app)
        app.screen.query_one("#limit", Input).focus()
        await pilot.press("2", "enter")
        await until(pilot, lambda: "0 of 2" in screen_text(app))
        assert "SAMPLE DATA: invented" in screen_text(app)
        data = card().data.model_copy(update={"origin": Origin.SAMPLE})
        keep_run(paths.runs_dir().parent.parent, "old", ["yes", "no"], data=data)
        play.open("go")
        await phase(pilot, app, Phase.DONE)
        await pilot.press("escape")
        await open_run(pilot, app, "old")
        assert "SAMPLE DATA: invented" in screen_text(app)


@pytest.mark.parametrize(
    ("changes", "words"), [({"untrained": True}, "UNTRAINED MODEL"), ({"demonstration": True}, "DEMONSTRATION MODEL")]
)
async def test_an_untrained_or_demonstration_model_is_said_so(
    model: Model, changes: dict[str, bool], words: str
) -> None:
    models.write_manifest(model.path.parent, model.manifest.model_copy(update=changes))
    app, _ = playing([Gate("never")])
    async with app.run_test(size=(100, 50)) as pilot:
        await opened(pilot, app)
        assert words in screen_text(app)
        app.screen.query_one("#limit", Input).focus()
        await pilot.press("2", "enter")
        await until(pilot, lambda: "0 of 2" in screen_text(app))
        assert words in screen_text(app)


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("typed", ["0", "-3"])
async def test_a_limit_that_is_none_is_refused(typed: str) -> None:
    app, _ = playing()
    async with app.run_test(notifications=True) as pilot:
        screen = await opened(pilot, app)
        screen.query_one("#limit", Input).value = typed
        await pilot.click("#start")
        await until(pilot, lambda: "whole number above 0" in screen_text(app))
        assert app.bench.at.phase is Phase.NONE


async def test_without_a_model_a_card_says_how_to_get_one() -> None:
    app, _ = playing()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await pilot.press("f5")
        await until(pilot, lambda: "no model is installed" in screen_text(app))
        assert "models add FILE" in screen_text(app)


# --- watching, stopping, going on -------------------------------------------------------------------------


@pytest.mark.usefixtures("model")
async def test_progress_has_count_accuracy_with_interval_valid_rate_and_time_left() -> None:
    answers = [Answer("yes"), Answer("no"), Answer(None)]
    app, play = playing([Stage("loading the model"), Gate("asked"), *answers, Gate("never")])
    async with app.run_test() as pilot:
        await started(pilot, app)
        await until(pilot, lambda: "Loading the model ..." in screen_text(app))
        app.now += 30
        play.open("asked")
        await until(pilot, lambda: "3 of 4 answered (75%)" in screen_text(app))
        for words in ("33.3 %", "6.1 to 79.2", "66.7 %", "1 without a label", "10 s left"):
            assert words in screen_text(app)


@pytest.mark.usefixtures("model")
async def test_escape_stops_within_a_question_and_r_goes_on() -> None:
    app, play = playing([Answer("yes"), Gate("never")], [Answer("yes"), Answer("yes")])
    async with app.run_test() as pilot:
        await started(pilot, app)
        await until(pilot, lambda: "1 of 4 answered" in screen_text(app))
        await pilot.press("escape")
        await phase(pilot, app, Phase.STOPPED)
        assert "Stopped by you. 1 of 4 answers are kept; R goes on." in screen_text(app)
        await pilot.press("r")
        await phase(pilot, app, Phase.DONE)
        first, second = play.jobs
        assert first.identity == second.identity
        assert "Confusion" in screen_text(app) or "Result, %" in screen_text(app)


@pytest.mark.usefixtures("model")
async def test_ctrl_c_stops_too_and_does_not_quit() -> None:
    app, _ = playing([Gate("never")])
    async with app.run_test() as pilot:
        await started(pilot, app)
        await until(pilot, lambda: "0 of 4" in screen_text(app))
        await pilot.press("ctrl+c")
        await phase(pilot, app, Phase.STOPPED)
        assert app.is_running


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(
    "error",
    [
        InUseError("this run folder is in use by another process", where="/runs/x", fix="wait for it"),
        ResourceError("not enough memory", where="/m.gguf", fix="choose a smaller model"),
        CorruptError("not a line of a journal", where="samples.jsonl, line 3", fix="delete that line"),
        EngineError("the engine died 4 times in a row", where="/log"),
    ],
)
async def test_what_goes_wrong_becomes_a_card(error: MedloraError) -> None:
    app, _ = playing([Answer("yes"), error], [Answer("yes")])
    async with app.run_test(size=(100, 40)) as pilot:
        await started(pilot, app)
        await phase(pilot, app, Phase.FAILED)
        for words in filter(None, (f"Error: {error.what}", error.where, error.fix, "R tries again")):
            assert words in screen_text(app)
        await pilot.press("r")
        await phase(pilot, app, Phase.DONE)


# --- beside the chat --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("model")
async def test_the_chat_is_refused_with_its_draft_while_a_bench_runs_and_loads_its_model_again() -> None:
    app, play = playing([Gate("go"), Answer("yes")])
    async with app.run_test(notifications=True) as pilot:
        await started(pilot, app)
        await until(pilot, lambda: "0 of 4" in screen_text(app))
        await pilot.press("f5")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        await ask(pilot, app, "What is sepsis?")
        await until(pilot, lambda: "A bench is running" in screen_text(app))
        assert app.chat.prompt.text == "What is sepsis?"
        assert app.fake.asked == []
        assert "a bench is running" in app.chat.standing.doing
        play.open("go")
        await phase(pilot, app, Phase.DONE)
        await until(pilot, lambda: not app.fake.lent)
        await pilot.press("enter")
        await ended(pilot, app)
        assert len(app.fake.loaded) == 2
        assert app.chat.prompt.text == ""


@pytest.mark.usefixtures("model")
async def test_a_bench_waits_for_no_answer_and_says_so() -> None:
    app, _ = playing([Answer("yes")])
    app.fake.script(Say("Sepsis"), Hang())
    async with app.run_test(size=(100, 40)) as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await until(pilot, lambda: app.fake.busy)
        await started(pilot, app)
        await phase(pilot, app, Phase.FAILED)
        assert "a question is being answered" in screen_text(app)
        app.fake.stop()
        await pilot.press("r")
        await phase(pilot, app, Phase.DONE)


@pytest.mark.usefixtures("model")
async def test_quitting_asks_while_a_bench_runs() -> None:
    app, _ = playing([Gate("never")])
    async with app.run_test() as pilot:
        await started(pilot, app)
        await until(pilot, lambda: "0 of 4" in screen_text(app))
        await pilot.press("ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, Choice))
        assert "A bench is running" in screen_text(app)


@pytest.mark.usefixtures("model")
async def test_a_run_seen_no_longer_goes_on_and_is_found_again() -> None:
    app, play = playing([Gate("go"), Answer("yes"), Answer("no"), Gate("end")])
    async with app.run_test(notifications=True) as pilot:
        await started(pilot, app)
        await until(pilot, lambda: "0 of 4" in screen_text(app))
        await pilot.press("f5")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        play.open("go")
        await until(pilot, lambda: app.bench.at.tally and app.bench.at.tally.done == 2)
        await pilot.press("f5")
        await until(pilot, lambda: "2 of 4 answered" in screen_text(app))
        await pilot.press("f5")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        play.open("end")
        await until(pilot, lambda: "The bench has ended: F5 shows it." in screen_text(app))
        await pilot.press("f5")
        await until(pilot, lambda: "Result, %" in screen_text(app))


# --- earlier runs -----------------------------------------------------------------------------------------


async def open_run(pilot: Pilot[None], app: FakeApp, name: str) -> None:
    """Choose an earlier run by its name."""
    await until(pilot, lambda: name in [run.name for run in app.screen.query_one(RunList).runs], f"{name} is listed")
    listed = app.screen.query_one(RunList)
    listed.focus()
    listed.highlighted = [run.name for run in listed.runs].index(name)
    await pilot.press("enter")


@pytest.mark.usefixtures("model")
async def test_an_earlier_run_is_read_with_tables_and_references(home: Path) -> None:
    keep_run(home, "old", ["yes", "yes", "no", None])
    app, _ = playing()
    async with app.run_test(size=(100, 80)) as pilot:
        await opened(pilot, app)
        assert "4 of 4 answered" in screen_text(app)
        await open_run(pilot, app, "old")
        await until(pilot, lambda: "Confusion" in screen_text(app))
        for words in (
            "OWN DATA",
            "50.0",
            "15.0 to 85.0",
            "most frequent label",
            "By label (strict)",
            "invalid",
            "Cost",
        ):
            assert words in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.query_one(RunList).has_focus or "Earlier runs" in screen_text(app))


@pytest.mark.usefixtures("model")
async def test_an_unfinished_run_of_other_data_says_how_to_go_on(home: Path) -> None:
    keep_run(home, "half", ["yes", "no"], n_items=5)
    app, _ = playing()
    async with app.run_test(size=(100, 60)) as pilot:
        await opened(pilot, app)
        await open_run(pilot, app, "half")
        await until(pilot, lambda: "UNFINISHED: 2 of 5" in screen_text(app))
        await pilot.press("r")
        await phase(pilot, app, Phase.FAILED)
        assert "data file of its own" in screen_text(app)


@pytest.mark.usefixtures("model")
async def test_two_runs_are_compared(home: Path) -> None:
    keep_run(home, "a", ["yes", "yes", "yes", "no"])
    keep_run(home, "b", ["yes", "no", "no", "no"])
    app, _ = playing()
    async with app.run_test(size=(100, 60)) as pilot:
        await opened(pilot, app)
        await open_run(pilot, app, "a")
        await until(pilot, lambda: "Confusion" in screen_text(app))
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, Choice))
        assert "always yes" in screen_text(app)
        await pilot.press("down", "enter")
        await until(pilot, lambda: "exact McNemar test" in screen_text(app))
        for words in ("A - B: +50.0 points", "Flipped items", "B: b"):
            assert words in screen_text(app)


@pytest.mark.usefixtures("model")
async def test_a_damaged_run_is_named_and_does_not_hide_the_others(home: Path) -> None:
    keep_run(home, "good", ["yes"])
    keep_run(home, "bad", ["yes"])
    (home / "data" / "runs" / "bad" / "card.json").write_text("{")
    app, _ = playing()
    async with app.run_test(size=(100, 40)) as pilot:
        await opened(pilot, app)
        assert "cannot be read" in screen_text(app)
        assert "1 of 1 answered" in screen_text(app)
        await open_run(pilot, app, "bad")
        await until(pilot, lambda: "Error: not a readable card.json" in screen_text(app))


# --- what a model or a file says --------------------------------------------------------------------------

HOSTILE = "m\x1b[2J\x07\x9b31m\u202e[@click=app.quit]x[/] [bold]y[/bold]"
HARMLESS = "m[2J31m[@click=app.quit]x[/] [bold]y[/bold]"


@pytest.mark.usefixtures("model")
async def test_nothing_a_run_says_is_markup_or_steers_the_terminal(home: Path) -> None:
    of = card().model.model_copy(update={"name": HOSTILE, "description": HOSTILE, "quantisation": HOSTILE})
    keep_run(home, "old", ["yes"], model=of, software={"llama.cpp": HOSTILE})
    app, _ = playing([CorruptError(HOSTILE, where=HOSTILE, fix=HOSTILE)])
    async with app.run_test(size=(160, 90)) as pilot:
        await opened(pilot, app)
        await open_run(pilot, app, "old")
        await until(pilot, lambda: screen_text(app).count(HARMLESS) >= 3, "title and setting")
        assert not set(screen_text(app)) & set("\x1b\x07\x9b\u202e")
        await pilot.press("escape")
        app.screen.query_one("#limit", Input).focus()
        await pilot.press("1", "enter")
        await phase(pilot, app, Phase.FAILED)
        assert screen_text(app).count(HARMLESS) == 3
        assert not set(screen_text(app)) & set("\x1b\x07\x9b\u202e")


async def test_pubmedqa_is_offered_first_once_it_is_imported(model: Model, shared_data: Path) -> None:
    library.install(shared_data / "pubmedqa" / "ori_pqal.json.gz")
    app, play = playing([Answer("yes")])
    async with app.run_test() as pilot:
        await opened(pilot, app)
        await until(pilot, lambda: "PubMedQA, the official 500 test questions" in screen_text(app))
        assert "SAMPLE DATA" not in screen_text(app)
        await pilot.click("#start")
        await phase(pilot, app, Phase.DONE)
    (job,) = play.jobs
    assert (job.model.name, job.dataset.origin, len(job.items)) == (model.name, Origin.OFFICIAL, 500)
