"""The list of chats over a real store: search, preview, open, rename, erase; and what must be refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from medlora_edge import history
from medlora_edge.errors import ResourceError
from medlora_edge.history import Chat, Store
from medlora_edge.privacy import clean
from medlora_edge.tui.keeping import places
from medlora_edge.tui.keeping.places import Place
from medlora_edge.tui.screens.choice import Choice
from medlora_edge.tui.screens.history import ERASING, NOT_SAVED, SAVED, History
from medlora_edge.tui.widgets import chat_list
from medlora_edge.tui.widgets.chat_list import ChatList, entry
from medlora_edge.tui.widgets.line import LONGEST, NewTitle, Search
from medlora_edge.tui.widgets.preview import marked, told
from tests.history.support import keep
from tests.tui.apps import screen_text, until
from tests.tui.shelves import LOADED, ShelfApp, keep_chat, listed, notified, opened, shows
from tests.tui.turns import ASKED, answered

pytestmark = pytest.mark.asyncio


@pytest.fixture
def store() -> Iterator[Store]:
    with history.private() as opened:
        keep_chat(opened, "Sepsis in adults", "Give fluids early.", asked="What is sepsis?")
        keep_chat(opened, "Statins", "They lower LDL.", asked="Do statins help?", task="pubmedqa")
        yield opened


# --- the list ---------------------------------------------------------------------------------------------


async def test_lists_the_last_used_chat_first_with_date_mode_model_and_turns(store: Store) -> None:
    app = ShelfApp(store)
    async with app.run_test() as pilot:
        await opened(pilot, app)
        await shows(pilot, "\u2714 yes")
        shown = screen_text(app)
        assert listed(app) == ["Statins", "Sepsis in adults"]
        updated = f"{store.chats()[0].updated.astimezone():%Y-%m-%d %H:%M}"
        assert f"{updated} \u00b7 PubMedQA \u00b7 starter \u00b7 1 turn" in shown
        assert "2 chats" in shown
        assert "They lower LDL." in shown


@pytest.mark.parametrize(("saved", "words"), [(False, NOT_SAVED), (True, SAVED)])
async def test_says_whether_they_are_saved(store: Store, saved: bool, words: str) -> None:
    app = ShelfApp(store, saved=saved)
    async with app.run_test() as pilot:
        await shows(pilot, words)


async def test_without_chats_it_says_so_and_no_key_does_harm() -> None:
    with history.private() as store:
        app = ShelfApp(store)
        async with app.run_test() as pilot:
            await shows(pilot, "0 chats")
            await pilot.press("enter", "down", "e", "delete", "enter")
            assert isinstance(app.screen, History)
            await pilot.press("escape")
            await until(pilot, lambda: app.chosen == [None])


async def test_every_size_is_survived_and_the_smallest_one_that_is_promised_is_legible(store: Store) -> None:
    app = ShelfApp(store)
    async with app.run_test() as pilot:
        await opened(pilot, app)
        for size in [(1, 1), (20, 5), (200, 60)]:
            await pilot.resize_terminal(*size)
            await pilot.pause()
        await pilot.resize_terminal(60, 20)
        for words in (
            "Search in all chats",
            "Statins",
            "\u00b7 1 turn",
            "Sepsis in adults",
            "They lower LDL.",
            "Close",
        ):
            await shows(pilot, words)


# --- search -----------------------------------------------------------------------------------------------


async def test_search_shows_snippet_and_turn_with_the_words_marked_and_opens_there(store: Store) -> None:
    turn = keep_chat(store, "Kidneys", "Dialysis is started when potassium rises.")
    app = ShelfApp(store)
    async with app.run_test() as pilot:
        await opened(pilot, app)
        await pilot.press(*"potass")
        await shows(pilot, "1 place")
        assert listed(app) == ["Kidneys"]
        assert app.screen.query_one(ChatList).place.turn == turn.id  # type: ignore[union-attr]
        await until(pilot, lambda: screen_text(app).count("potassium rises") == 2, "snippet and preview")
        await pilot.press("enter")
        await until(pilot, lambda: app.chosen)
        (reopened,) = app.chosen
        assert reopened
        assert (reopened.chat.title, reopened.turn, reopened.why_read_only) == ("Kidneys", turn.id, None)
        assert [kept.answer for kept in reopened.turns] == ["Dialysis is started when potassium rises."]


async def test_search_that_finds_nothing_says_so_and_the_list_comes_back(store: Store) -> None:
    app = ShelfApp(store)
    async with app.run_test() as pilot:
        await opened(pilot, app)
        await pilot.press(*"xyz")
        await shows(pilot, "Nothing found")
        await pilot.press("enter", *["backspace"] * 3)
        await until(pilot, lambda: len(listed(app)) == 2)
        assert app.chosen == []


async def test_a_title_with_the_words_of_its_turn_is_not_listed_twice(store: Store) -> None:
    app = ShelfApp(store)
    async with app.run_test() as pilot:
        await opened(pilot, app)
        await pilot.press(*"sepsis")
        await shows(pilot, "1 place")
        assert app.screen.query_one(ChatList).place.turn  # type: ignore[union-attr]


async def test_titles_are_found_too(store: Store) -> None:
    app = ShelfApp(store)
    async with app.run_test() as pilot:
        await opened(pilot, app)
        await pilot.press(*"adults")
        await until(pilot, lambda: listed(app) == ["Sepsis in adults"])


async def test_arrows_choose_and_enter_opens(store: Store) -> None:
    app = ShelfApp(store)
    async with app.run_test() as pilot:
        await opened(pilot, app)
        await pilot.press("down")
        await shows(pilot, "Give fluids early.")
        await pilot.press("enter")
        await until(pilot, lambda: app.chosen)
        assert app.chosen[0].chat.title == "Sepsis in adults"  # type: ignore[union-attr]


async def test_slash_goes_back_to_the_search(store: Store) -> None:
    app = ShelfApp(store)
    async with app.run_test() as pilot:
        await opened(pilot, app)
        await pilot.press("down", "slash", *"fluids")
        await until(pilot, lambda: listed(app) == ["Sepsis in adults"])


async def test_nothing_is_opened_or_erased_while_an_answer_is_written(store: Store) -> None:
    app = ShelfApp(store, busy=lambda: True)
    async with app.run_test() as pilot:
        await opened(pilot, app)
        await pilot.press("enter")
        await notified(pilot, "An answer is being written")
        await pilot.press("down", "delete")
        assert isinstance(app.screen, History)
        assert len(store.chats()) == 2


async def test_locked_store_is_told(store: Store) -> None:
    app = ShelfApp(store)
    async with app.run_test() as pilot:
        await opened(pilot, app)
        store.close()
        await pilot.press("enter")
        await notified(pilot, "the chats are locked")


# --- rename -----------------------------------------------------------------------------------------------


async def test_rename_in_a_line_of_its_own(store: Store) -> None:
    app = ShelfApp(store)
    async with app.run_test() as pilot:
        await opened(pilot, app)
        await pilot.press("down", "e")
        await until(pilot, lambda: app.screen.query_one(NewTitle).value == "Sepsis in adults")
        await pilot.press("end", *" (old)", "enter")
        await until(pilot, lambda: listed(app) == ["Statins", "Sepsis in adults (old)"])
        await until(pilot, lambda: app.screen.query_one(ChatList).highlighted == 1)
        await until(pilot, lambda: app.focused is app.screen.query_one(ChatList))


async def test_escape_leaves_the_title_and_a_second_one_closes(store: Store) -> None:
    app = ShelfApp(store)
    async with app.run_test() as pilot:
        await opened(pilot, app)
        await pilot.press("tab", "e", "x", "escape")
        assert not app.screen.query_one(NewTitle).display
        assert listed(app) == ["Statins", "Sepsis in adults"]
        await pilot.press("escape")
        await until(pilot, lambda: app.chosen == [None])


# --- erase ------------------------------------------------------------------------------------------------


async def test_erase_asks_first_and_enter_alone_keeps_it(store: Store) -> None:
    app = ShelfApp(store)
    async with app.run_test() as pilot:
        await opened(pilot, app)
        await pilot.press("tab", "delete")
        await until(pilot, lambda: isinstance(app.screen, Choice))
        assert "nothing brings it back" in screen_text(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, History))
        assert len(store.chats()) == 2


async def test_erase_really_erases_and_tells_which(store: Store) -> None:
    app = ShelfApp(store)
    async with app.run_test() as pilot:
        await opened(pilot, app)
        gone = store.chats()[0].id
        await pilot.press("tab", "d")
        await until(pilot, lambda: isinstance(app.screen, Choice))
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, History) and listed(app) == ["Sepsis in adults"])
        assert app.erased == [gone]
        assert store.search("statins") == ()


async def test_erase_that_runs_out_of_disk_is_told_and_the_chat_that_is_gone_is_gone(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Store) -> None:
        raise ResourceError("the chats cannot be written", fix="free space")

    monkeypatch.setattr(Store, "finish_erasing", full)
    app = ShelfApp(store)
    async with app.run_test() as pilot:
        await opened(pilot, app)
        await pilot.press("tab", "delete", "down", "enter")
        await notified(pilot, "What to do: free space.")
        await until(pilot, lambda: listed(app) == ["Sepsis in adults"])
        assert len(app.erased) == 1


async def test_erasing_goes_on_when_the_list_is_closed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    app = ShelfApp(store)
    lock = store._lock
    async with app.run_test() as pilot:
        await opened(pilot, app)
        with lock:
            await pilot.press("tab", "delete", "down", "enter")
            await shows(pilot, ERASING)
            await pilot.press("escape")
            await until(pilot, lambda: app.chosen == [None])
        await until(pilot, lambda: app.erased)
        assert len(store.chats()) == 1


async def test_damaged_store_is_read_but_not_changed(store: Store) -> None:
    store.damage = "the database is damaged, 3 of its rows cannot be read"
    app = ShelfApp(store, saved=True)
    async with app.run_test() as pilot:
        await opened(pilot, app)
        assert "Open for reading only: the database is damaged" in screen_text(app)
        await pilot.press("tab")
        for key in ("e", "delete"):
            await pilot.press(key)
            await notified(pilot, "Nothing can be changed.")
            app.clear_notifications()
        assert isinstance(app.screen, History)
        app.screen.query_one(Search).focus()
        await pilot.press("enter")
        await until(pilot, lambda: app.chosen)
        assert "3 of its rows" in app.chosen[0].why_read_only  # type: ignore[union-attr, operator]


# --- foreign text -----------------------------------------------------------------------------------------

HOSTILE = "\x1b]52;c;QQ==\x07\x9b2J\u202eabc\x00 [bold]b[/] [@click=app.quit]q[/] [link=http://x]l[/]\r\n\t"


async def test_stored_text_is_shown_inert_and_markup_as_it_is() -> None:
    with history.private() as store:
        keep_chat(store, HOSTILE + "TITLE", HOSTILE * 3 + "ANSWER", asked=HOSTILE + "needle", model=HOSTILE)
        app = ShelfApp(store)
        async with app.run_test(size=(120, 40)) as pilot:
            await opened(pilot, app)
            assert "[@click=app.quit]q[/]" in screen_text(app)
            await pilot.press(*"needle")
            await shows(pilot, "1 place")
            assert screen_text(app) == clean(screen_text(app))
            assert "[bold]b[/]" in screen_text(app)


@given(text=st.text(), words=st.text())
async def test_any_text_is_drawn_as_cleaned_text_without_links_or_actions(text: str, words: str) -> None:
    with history.private() as store:
        keep_chat(store, text, text, asked=text or "?", model=text)
        (place, *_) = places.find(store, "")
        drawn = [entry(place), marked(told(answered(1, text, text)), words)]
        drawn += [entry(place) for place in places.find(store, words)]
    for content in drawn:
        assert content.plain == clean(content.plain)
        assert {str(span.style) for span in content.spans} <= {"bold", "bold underline"}


async def test_long_and_hostile_search_and_title_are_cleaned_and_cut(store: Store) -> None:
    app = ShelfApp(store)
    async with app.run_test() as pilot:
        await opened(pilot, app)
        box = app.screen.query_one(Search)
        box.value = "\x1b[2J" * 9 + "x\ny" * 10_000
        assert len(box.value) == LONGEST
        assert box.value == clean(box.value).replace("\n", " ")
        await shows(pilot, "Nothing found")


async def test_of_two_thousand_chats_only_those_in_view_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def count(place: Place) -> Content:
        made.append(place.chat.title)
        return entry(place)

    monkeypatch.setattr(chat_list, "entry", count)
    chats = (Chat(number, f"Chat {number}", ASKED, ASKED, "starter", LOADED, 0) for number in range(2000, 0, -1))
    many = tuple(map(Place, chats))
    monkeypatch.setattr(places, "find", lambda store, words: many)
    with history.private() as store:
        app = ShelfApp(store)
        async with app.run_test() as pilot:
            await shows(pilot, "2,000 chats")
            await pilot.press("tab", "end")
            await until(pilot, lambda: "Chat 1" in made)
            await pilot.press("home")
            await until(pilot, lambda: app.screen.query_one(ChatList).highlighted == 0)
    assert {"Chat 2000", "Chat 1"} <= set(made)
    assert len(set(made)) < 100


# --- over a kept store ------------------------------------------------------------------------------------


async def test_kept_chats_are_erased_from_the_disk(tmp_path: Path) -> None:
    folder = tmp_path / "history"
    store, _ = keep(folder)
    with store:
        keep_chat(store, "Secret", sha256=LOADED)
        app = ShelfApp(store, saved=True)
        async with app.run_test() as pilot:
            await opened(pilot, app)
            await pilot.press("tab", "delete", "down", "enter")
            await shows(pilot, "0 chats")
        assert store.chats() == ()
