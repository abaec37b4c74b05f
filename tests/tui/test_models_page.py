"""The model page: what it says of each model, switching in the middle of a chat, damage and loss while it is open."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from textual.pilot import Pilot

from medlora_edge import models, paths
from medlora_edge.errors import ResourceError
from medlora_edge.history import TurnState
from medlora_edge.models import Model
from medlora_edge.tui.about_models import choosing
from medlora_edge.tui.screens.choice import Choice
from medlora_edge.tui.screens.models import ModelPage
from medlora_edge.tui.widgets.model_details import ModelDetails
from medlora_edge.tui.widgets.model_list import ModelList
from tests.lora import random_pairs, write_adapter
from tests.models.corpus import valid_gguf
from tests.tui.apps import FakeApp, ask, ended, ready, screen_text, until
from tests.tui.fake_session import Fail, Gate, Hang, Say

pytestmark = pytest.mark.asyncio


@pytest.fixture(autouse=True)
def no_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "shipped_models_dir", lambda: None)


@pytest.fixture
def first(tmp_path: Path) -> Model:
    return models.add(valid_gguf(tmp_path / "first.gguf"))


@pytest.fixture
def second(first: Model, tmp_path: Path) -> Model:
    return models.add(valid_gguf(tmp_path / "second.gguf", lambda writer: writer.add_description("other")))


async def opened(pilot: Pilot[None], app: FakeApp) -> ModelList:
    """The page, its models listed."""
    await ready(pilot, app)
    await pilot.press("f4")
    await until(pilot, lambda: isinstance(app.screen, ModelPage), "the model page")
    await until(pilot, lambda: "Looking at the models" not in screen_text(app), "the models are listed")
    return app.screen.query_one(ModelList)


async def highlight(pilot: Pilot[None], listed: ModelList, name: str) -> None:
    """Go down to a row."""
    for _ in range(listed.option_count):
        if listed.row and name in (listed.row.found.entry.name, *(map(str, listed.row.place))):
            return
        await pilot.press("down")
    raise AssertionError(f"no row {name}")


def about(app: FakeApp) -> str:
    """Everything the details say, in view or not."""
    details = app.screen.query_one(ModelDetails)
    return "\n".join(str(getattr(part, "content", "")) for part in details.query("Plain").results())


# --- what it says -----------------------------------------------------------------------------------------


async def test_every_model_with_what_must_be_known_before_it_is_chosen(first: Model, second: Model) -> None:
    app = FakeApp(model=first)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, app)
        shown = screen_text(app)
        assert "first \u00b7 in use \u00b7 untrained" in shown
        assert "second \u00b7 untrained" in shown
        assert "F32 \u00b7 315 KiB \u00b7 needs" in shown
        assert "fits \u00b7 intact" in shown
        for part in ("apache-2.0", "512 tokens here", "weights", "KV cache", "compute buffers", "free", "It fits"):
            assert part in about(app), part


async def test_the_demonstration_model_is_marked(first: Model) -> None:
    place = first.path.parent / "manifest.json"
    place.write_text(place.read_text().replace('"demonstration": false', '"demonstration": true'))
    app = FakeApp(model=first)
    async with app.run_test() as pilot:
        await opened(pilot, app)
        assert "first \u00b7 in use \u00b7 untrained \u00b7 demonstration" in screen_text(app)


async def test_without_any_model_it_says_how_to_add_one() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        app.chat.desk.model = None
        await opened(pilot, app)
        assert "models add FILE" in screen_text(app)
        await pilot.press("enter", "v", "d", "r")
        assert isinstance(app.screen, ModelPage)


async def test_a_model_given_as_a_file_is_listed_too(first: Model, tmp_path: Path) -> None:
    given = models.find(str(valid_gguf(tmp_path / "given.gguf")))
    app = FakeApp(model=given)
    async with app.run_test() as pilot:
        await opened(pilot, app)
        assert "given \u00b7 in use" in screen_text(app)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1000])


def page(file: Path) -> None:
    content = b"<!DOCTYPE html><html>404</html>"
    file.write_bytes(content + bytes(file.stat().st_size - len(content)))


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda file: file.unlink(), "is gone"),
    "truncated": (cut, "bytes, not the"),
    "not a model": (page, "web page"),
    "manifest missing": (lambda file: (file.parent / "manifest.json").unlink(), "manifest cannot be read"),
    "manifest broken": (lambda file: (file.parent / "manifest.json").write_text("{"), "manifest is malformed"),
}


@pytest.mark.parametrize("damage", DAMAGE)
async def test_damage_is_a_row_and_a_card_that_says_what_to_do(damage: str, first: Model, second: Model) -> None:
    spoil, words = DAMAGE[damage]
    spoil(second.path)
    app = FakeApp(model=first)
    async with app.run_test(size=(120, 40)) as pilot:
        listed = await opened(pilot, app)
        assert "cannot be used" in screen_text(app)
        await highlight(pilot, listed, "second")
        await until(pilot, lambda: words in about(app), words)
        assert "What to do:" in about(app)
        await pilot.press("enter")
        await until(pilot, lambda: "second cannot be used:" in screen_text(app))
        assert app.fake.loaded == [first]
        assert isinstance(app.screen, ModelPage)


async def test_foreign_text_is_shown_as_it_is_and_steers_nothing(tmp_path: Path) -> None:
    def change(writer: Any) -> None:
        writer.kv_data[0]["general.license"].value = "\x1b]52;c;eA==\x07[red]mit[/red]\u202e"

    model = models.add(valid_gguf(tmp_path / "m.gguf", change))
    (paths.models_dir() / "[blink]x").mkdir()
    app = FakeApp(model=model)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, app)
        assert "[red]mit[/red]" in screen_text(app)
        assert "[blink]x" in screen_text(app)
        assert not {"\x1b", "\x07", "\u202e"} & set(screen_text(app))


# --- switching --------------------------------------------------------------------------------------------


async def test_another_model_goes_on_with_the_chat(first: Model, second: Model) -> None:
    app = FakeApp(model=first)
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await ended(pilot, app)
        await highlight(pilot, await opened(pilot, app), "second")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.chat and app.chat.standing.model == "second")
        await until(pilot, lambda: app.chat.standing.ready)
        assert "second answers from here on" in screen_text(app)
        await ask(pilot, app, "And in children?")
        await ended(pilot, app, 2)
        turn, earlier = app.fake.asked[1]
        assert [before.answer for before in earlier] == ["An answer."]
        assert turn.model_sha256 == second.manifest.sha256
        assert len({kept.chat for kept in app.keeper.turns()}) == 1


async def test_a_model_that_cannot_be_loaded_gives_way_to_the_one_before(first: Model, second: Model) -> None:
    app = FakeApp(model=first)
    app.fake.cannot_load = lambda model: ResourceError("not enough memory") if model == second else None
    async with app.run_test(size=(80, 40)) as pilot:
        listed = await opened(pilot, app)
        await highlight(pilot, listed, "second")
        await pilot.press("enter")
        await until(pilot, lambda: "second cannot be used: first answers again." in screen_text(app))
        assert "Error: not enough memory" in screen_text(app)
        await until(pilot, lambda: app.fake.model == first, "the first one is loaded again")
        await ready(pilot, app)
        await ask(pilot, app)
        await ended(pilot, app)
        assert app.fake.loaded == [first, second, first]


async def test_a_question_that_waited_for_a_broken_model_fails_and_the_next_one_is_answered(
    first: Model, second: Model
) -> None:
    app = FakeApp(model=first)
    app.fake.cannot_load = lambda model: ResourceError("not enough memory") if model == second else None
    async with app.run_test(size=(80, 40)) as pilot:
        listed = await opened(pilot, app)
        app.fake.load_steps = (Gate("loaded"),)
        await highlight(pilot, listed, "second")
        await pilot.press("enter")
        await until(pilot, lambda: app.fake.loaded[1:])
        app.fake.script(Fail())
        await ask(pilot, app)
        await until(pilot, lambda: app.fake.busy)
        app.fake.release("loaded")
        await ended(pilot, app)
        await ask(pilot, app, "And now?")
        await ended(pilot, app, 2)
        assert app.fake.loaded == [first, second, first]
        assert app.keeper.turns()[1].state is TurnState.DONE


async def test_a_model_that_worked_once_is_not_tried_for_ever(first: Model) -> None:
    app = FakeApp(model=first)
    async with app.run_test() as pilot:
        await ready(pilot, app)
        app.fake.cannot_load = lambda model: ResourceError("not enough memory")
        app.load()
        await until(pilot, lambda: "not enough memory" in screen_text(app))
        await pilot.pause()
        assert app.fake.loaded == [first, first]
        assert "answers again" not in screen_text(app)


async def test_the_model_in_use_is_not_loaded_again(first: Model, second: Model) -> None:
    app = FakeApp(model=first)
    async with app.run_test() as pilot:
        await opened(pilot, app)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.chat)
        assert app.fake.loaded == [first]


@pytest.mark.parametrize("stop", [True, False])
async def test_an_answer_under_way_is_stopped_only_when_the_user_says_so(
    stop: bool, first: Model, second: Model
) -> None:
    app = FakeApp(model=first)
    app.fake.script(Say("Half an ans"), Hang())
    async with app.run_test() as pilot:
        await ready(pilot, app)
        await ask(pilot, app)
        await until(pilot, lambda: app.chat.standing.doing == "answering 1")
        await highlight(pilot, await opened(pilot, app), "second")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Choice))
        await pilot.press(*(["enter"] if stop else ["down", "enter"]))
        if stop:
            await until(pilot, lambda: app.chat.standing.model == "second" and app.chat.standing.ready)
            (kept,) = app.keeper.turns()
            assert (kept.answer, kept.state) == ("Half an ans", TurnState.STOPPED)
        else:
            await until(pilot, lambda: isinstance(app.screen, ModelPage))
            assert app.chat.busy
            assert app.fake.loaded == [first]


async def test_an_adapter_beside_a_model_is_chosen_with_it_and_one_that_does_not_fit_is_not(first: Model) -> None:
    write_adapter(first.path.parent / "good.gguf", random_pairs(first.path, ["blk.0.attn_q.weight"]))
    shutil.copy(first.path, first.path.parent / "other.gguf")
    app = FakeApp(model=first)
    async with app.run_test() as pilot:
        listed = await opened(pilot, app)
        await highlight(pilot, listed, str(first.path.parent / "other.gguf"))
        await pilot.press("enter")
        await until(pilot, lambda: "first cannot be used:" in screen_text(app))
        await pilot.press("home")
        await highlight(pilot, listed, str(first.path.parent / "good.gguf"))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.chat and len(app.fake.loaded) == 2)
        assert app.chat.desk.adapter
        assert app.chat.desk.adapter.name == "good"
        listed = await opened(pilot, app)
        assert listed.row
        assert (listed.row.used, listed.row.adapter is not None) == (True, True)


# --- while it is open -------------------------------------------------------------------------------------


async def test_a_model_removed_while_the_page_is_open_is_refused_and_the_old_one_stays(
    first: Model, second: Model
) -> None:
    app = FakeApp(model=first)
    async with app.run_test() as pilot:
        await highlight(pilot, await opened(pilot, app), "second")
        models.remove("second")
        await pilot.press("enter")
        await until(pilot, lambda: "second cannot be used: it is no longer installed" in screen_text(app))
        assert app.fake.loaded == [first]
        assert app.chat.standing.ready


async def test_a_model_replaced_while_the_page_is_open_is_taken_as_it_is_now(
    first: Model, second: Model, tmp_path: Path
) -> None:
    app = FakeApp(model=first)
    async with app.run_test() as pilot:
        await highlight(pilot, await opened(pilot, app), "second")
        models.remove("second")
        new = models.add(valid_gguf(tmp_path / "new.gguf", lambda writer: writer.add_author("new")), name="second")
        await pilot.press("enter")
        await until(pilot, lambda: len(app.fake.loaded) == 2)
        assert app.fake.loaded[1].manifest.sha256 == new.manifest.sha256 != second.manifest.sha256


async def test_look_again_shows_what_came_since(first: Model, tmp_path: Path) -> None:
    app = FakeApp(model=first)
    async with app.run_test() as pilot:
        listed = await opened(pilot, app)
        models.add(valid_gguf(tmp_path / "new.gguf", lambda writer: writer.add_author("new")))
        await pilot.press("r")
        await until(pilot, lambda: listed.option_count == 2)
        assert listed.row
        assert listed.row.used


async def test_the_default_is_chosen_here(first: Model, second: Model) -> None:
    app = FakeApp(model=first)
    async with app.run_test() as pilot:
        await highlight(pilot, await opened(pilot, app), "second")
        await pilot.press("d")
        await until(pilot, lambda: "second \u00b7 used at every start" in screen_text(app))
        assert models.find(None).name == "second"


# --- checking the hash ------------------------------------------------------------------------------------


async def test_check_says_intact_or_changed(first: Model) -> None:
    app = FakeApp(model=first)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, app)
        await pilot.press("v")
        await until(pilot, lambda: "first is the file that was installed." in screen_text(app))
        content = first.path.read_bytes()
        first.path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        os.utime(first.path, ns=(1, 1))
        await pilot.press("r")
        await until(pilot, lambda: "not checked yet" in screen_text(app))
        await pilot.press("v")
        await until(pilot, lambda: "cannot be used: the model 'first' is no longer" in screen_text(app))
        assert "models remove first" in about(app)


async def test_leaving_the_page_stops_the_check(first: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, ended_ = Event(), Event()

    def endless(model: Model, say: Callable[[str], None], stopped: Callable[[], bool]) -> None:
        begun.set()
        while not stopped():
            say("Checking first 40%")
        ended_.set()

    monkeypatch.setattr(choosing, "check", endless)
    app = FakeApp(model=first)
    async with app.run_test() as pilot:
        await opened(pilot, app)
        await pilot.press("v")
        await until(pilot, lambda: "Checking first 40%" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, ended_.is_set)
        assert app.screen is app.chat


async def test_the_model_stays_while_a_bench_runs(first: Model, second: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    app = FakeApp(model=first)
    async with app.run_test() as pilot:
        await highlight(pilot, await opened(pilot, app), "second")
        monkeypatch.setattr(type(app.bench), "running", property(lambda _: True))
        await pilot.press("enter")
        await until(pilot, lambda: any("A bench is running" in note.message for note in app._notifications))
        assert app.fake.loaded == [first]
        assert app.chat.desk.model == first
