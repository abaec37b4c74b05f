"""Nothing that a model, a file, the store or a paste says steers the terminal or acts on a click."""

import sys
from itertools import product
from pathlib import Path

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from medlora_edge.privacy import clean
from medlora_edge.tui.safe_app import SafeApp
from medlora_edge.tui.terminal.safety import NoControls
from tests.tui.emulator import Emulator
from tests.tui.hostile import ESCAPES, HOSTILE
from tests.tui.terminal import Terminal, terminal

ROOT = Path(__file__).parent.parent.parent
HELP = "Keys that work here"  # what the actions in the hostile text would open
PAGES = {"\x12": "You \u00b7 Ask", "\x1bOS": "the chat.", "\x1b[15~": "Earlier runs", "\x10": "Search for commands"}
STREAM = """
from medlora_edge.errors import EngineError
from medlora_edge.tui.session import mailbox
from tests.tui.apps import FakeApp, a_model
from tests.tui.fake_session import Crash, Fail, Say
from tests.tui.hostile import HOSTILE, MARKUP, splits

mailbox.merged = list  # every piece of the stream reaches the screen as it is
app = FakeApp(model=a_model(HOSTILE))
app.fake.notes = (HOSTILE,)
app.fake.warning = HOSTILE[:100]
app.fake.script(*map(Say, splits()), *(Say(text + "\\n\\n") for text in MARKUP), Say("WHOLE"))
app.fake.script(Say(HOSTILE), Crash(HOSTILE), Say(HOSTILE),
                Fail(EngineError(HOSTILE, where=HOSTILE, fix=HOSTILE + "THEEND")))
app.run()
"""
STORED = """
from medlora_edge import paths
from medlora_edge.history import TurnState
from medlora_edge.tasks import Question
from tests.tui.apps import FakeApp, a_model
from tests.tui.hostile import FILE_NAME, HOSTILE

for folder in ("models", "runs"):
    (paths.data_dir() / folder / FILE_NAME).mkdir(parents=True)
app = FakeApp(model=a_model(FILE_NAME))
store = app.keeper.store
chat = store.new_chat(HOSTILE, HOSTILE)
store.rename(chat.id, HOSTILE)
turn = store.begin(chat.id, "ask", Question(HOSTILE, HOSTILE), model_sha256=HOSTILE, prompts_sha256=HOSTILE)
store.end(turn.id, TurnState.DONE, HOSTILE)
app.run()
"""


def click(screen: Terminal, row: int, column: int) -> None:
    """Press and release the mouse."""
    screen.send(f"\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m")


def test_stream_and_paste_are_text_and_nothing_else(tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\ntouch {tmp_path}/opened\n")
    browser.chmod(0o700)
    with terminal([sys.executable, "-c", STREAM], PYTHONPATH=str(ROOT), BROWSER=str(browser)) as screen:
        screen.shows("F1 Help")
        screen.press(f"\x1b[200~{HOSTILE}PASTED\x1b[201~", "PASTED")
        screen.press("\r", "WHOLE")
        for row, column in product(range(4, 18), range(4, 70, 3)):
            click(screen, row, column)
        click(screen, 21, 10)  # the prompt again
        screen.press("more", "more")
        assert HELP not in screen.text
        screen.press("\r", "THEEND")
        assert "[@click=app.help]act[/]" in screen.text.replace("\n ▌ ", "")
        assert screen.foreign == []
    assert not (tmp_path / "opened").exists()


def test_names_in_store_and_folders_are_text_and_nothing_else() -> None:
    with terminal([sys.executable, "-c", STORED], PYTHONPATH=str(ROOT)) as screen:
        screen.shows("ready")
        for key, shown in PAGES.items():
            screen.press(key, shown)
            screen.press("\x1b", "Ask a clinical question")
            screen.hides(shown)
        assert screen.foreign == []


def test_links_and_actions_are_taken_off_what_is_drawn() -> None:
    style = Style(link="https://example.org", bold=True) + Style.from_meta({"@click": "app.quit", "offset": (1, 2)})
    (segment,) = NoControls().apply([Segment("x\x1b]0;y\x07", style)], Color(0, 0, 0))
    assert segment.text == "x]0;y"
    assert segment.style is not None
    assert (segment.style.link, segment.style.meta, segment.style.bold) == (None, {"offset": (1, 2)}, True)


@pytest.mark.asyncio
async def test_what_is_copied_cannot_steer_where_it_is_pasted(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []

    def take(text: str) -> str:
        taken.append(text)
        return "a desktop"

    monkeypatch.setattr("medlora_edge.tui.terminal.clipboard.copy", take)
    app = SafeApp()
    async with app.run_test():
        app.copy_to_clipboard(f"{HOSTILE}\ud800")
        await app.workers.wait_for_complete()
    assert taken == [clean(HOSTILE)]


def test_scrollbars_stay_alive() -> None:
    segment = Segment(" ", Style.from_meta({"@mouse.down": "grab"}))
    assert NoControls().apply([segment], Color(0, 0, 0)) == [segment]


@pytest.mark.parametrize("attack", ESCAPES)
def test_attack_would_be_seen_if_it_came_through(attack: str) -> None:
    emulator = Emulator(80, 24)
    emulator.feed(f"\x1b[1;1H{attack}.".encode())
    assert emulator.foreign
