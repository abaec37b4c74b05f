"""The chat so far. It follows what is written only while its end is in view; of a long chat a part is mounted."""

from collections.abc import Iterable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget

from medlora_edge.history import Turn
from medlora_edge.tui.chat.chatlog import ChatLog
from medlora_edge.tui.chat.note import Note
from medlora_edge.tui.chat.window import Window, around
from medlora_edge.tui.session.events import SessionEvent
from medlora_edge.tui.widgets.card import Aside
from medlora_edge.tui.widgets.plain import Plain
from medlora_edge.tui.widgets.scroll import Scroll
from medlora_edge.tui.widgets.turn_view import TurnView

MORE = "\u2193 new text below (End)"


class Transcript(Vertical):
    """Turns and cards in order, and the marker of text out of view."""

    DEFAULT_CSS = """
    Transcript {
        height: 1fr;
        #more { height: 1; display: none; text-align: center; color: $background; background: $accent; }
        #more.shown { display: block; }
    }
    """

    class Chosen(Message):
        """Another variant of a question is shown now."""

    def __init__(self) -> None:
        super().__init__()
        self._log = ChatLog()
        self._window = Window()

    def compose(self) -> ComposeResult:
        """Scrolling part and marker."""
        yield Scroll()
        yield Plain(MORE, id="more")

    @property
    def _more(self) -> Plain:
        return self.query_one("#more", Plain)

    @property
    def scroll_part(self) -> Scroll:
        """What scrolls."""
        return self.query_one(Scroll)

    # --- what is in it ------------------------------------------------------------------------------------

    def add(self, note: Note) -> None:
        """Something happened: a card behind the last turn, wherever the user is reading."""
        place = self._log.note(note)
        if self._window.ends:
            card = Aside(note, place)
            self.scroll_part.mount(card)
            self.call_after_refresh(self._mark, card)
        else:
            self._more.add_class("shown")

    def clear(self) -> None:
        """An empty chat."""
        self.open(())

    def open(self, turns: Iterable[Turn], at: int | None = None) -> None:
        """A kept chat: its end, or the turn `at`, is in view."""
        self._log.open(turns)
        place = self._log.place(at)
        if place is None:
            self._turn_to(len(self._log.entries) - 1)
            self.scroll_part.follow_again()
        else:
            self._log.show(place, at)
            self._turn_to(place)
            self._show(place)
        self.post_message(self.Chosen())

    def begin(self, turn: Turn) -> None:
        """A new turn; a variant takes the place of the one it was asked again from."""
        before = len(self._log.entries)
        place = self._log.begin(turn)
        if place < before:
            self._swap(place)
            self.post_message(self.Chosen())
        else:
            self._append(place)
        if place == len(self._log.entries) - 1:
            self.scroll_part.follow_again()
        else:
            self._show(place)

    def hear(self, event: SessionEvent) -> None:
        """What the session says of a turn, whether it is in view or not."""
        turn = self._log.hear(event)
        if turn and (view := self.turn(turn.id)):
            view.hear(event, turn)
            self.call_after_refresh(self._mark, view)

    # --- what others ask of it ----------------------------------------------------------------------------

    def turn(self, number: int) -> TurnView | None:
        """The view of a turn, if it is mounted."""
        return next((view for view in self.turns() if view.turn.id == number), None)

    def turns(self) -> list[TurnView]:
        """All turns mounted, in order."""
        return [child for child in self._mounted() if isinstance(child, TurnView)]

    def _mounted(self) -> list[TurnView | Aside]:
        children = self.scroll_part.children
        return [child for child in children if isinstance(child, TurnView | Aside) and not child.going]

    @property
    def last(self) -> Turn | None:
        """The last question, as its answer is shown."""
        return self._log.entries[-1].turn if self._log.entries else None

    @property
    def notes(self) -> tuple[Note, ...]:
        """What happened and is no answer, in order."""
        return tuple(note for _, notes in sorted(self._log.notes.items()) for note in notes)

    @property
    def shown(self) -> frozenset[int]:
        """Ids of the variants that are shown."""
        return self._log.shown

    def unfold(self) -> None:
        """Show the whole abstract of the turn in focus, else the last long one; or its beginning again."""
        turns = self.turns()
        focused = [turn for turn in turns if turn.has_focus]
        view = next((turn for turn in focused or reversed(turns) if turn.unfold()), None)
        if view:
            self.scroll_part.go_to(view)

    def move(self, how: str) -> None:
        """Scroll: "home" and "end" are those of the whole chat."""
        match how:
            case "end":
                if not self._window.ends:
                    self._turn_to(len(self._log.entries) - 1)
                self.scroll_part.follow_again()
            case "home" if self._window.first:
                self._turn_to(0)
                self.scroll_part.go_to(self._mounted()[0])
            case _:
                getattr(self.scroll_part, f"scroll_{how}")(animate=False)
                self.scroll_part.look()

    # --- variants -----------------------------------------------------------------------------------------

    @on(TurnView.Walk)
    def _walk(self, walk: TurnView.Walk) -> None:
        place = self._log.walk(walk.turn.id, walk.step)
        if place is not None:
            self._swap(place)
            self.post_message(self.Chosen())

    def _swap(self, place: int) -> None:
        """Show the chosen variant in place of the one shown."""
        ids = {turn.id for turn in self._log.entries[place].variants}
        old = next((view for view in self.turns() if view.turn.id in ids), None)
        if old is None:
            self._turn_to(place)
            return
        new = self._view(place)
        self.scroll_part.mount(new, after=old)
        if old.has_focus:
            new.focus()
        self._leave(old)

    # --- the window ---------------------------------------------------------------------------------------

    def _append(self, place: int) -> None:
        if self._window.total and not self._window.ends:
            self._turn_to(place)
            return
        self._window = self._window.grown()
        self.scroll_part.mount(self._view(place))
        self._prune()

    def _turn_to(self, place: int) -> None:
        """Mount the window around an entry in place of all that is there."""
        for child in self._mounted():
            self._leave(child)
        self._window = around(place, len(self._log.entries))
        self.scroll_part.mount_all(self._views(self._window.first, self._window.last))

    @on(Scroll.Edge)
    def _grow(self, edge: Scroll.Edge) -> None:
        """The user comes to an edge of what is mounted."""
        before, there = self._window, self._mounted()
        after = before.older() if edge.top else before.newer()
        if after == before or not there:
            return
        self._window = after
        hold = there[0] if edge.top else there[-1]
        with self.scroll_part.held(hold):
            if edge.top:
                self.scroll_part.mount_all(self._views(after.first, before.first), before=hold)
            else:
                self.scroll_part.mount_all(self._views(before.last, after.last), after=hold)
            self._prune()

    def _prune(self) -> None:
        """Take away what is out of the window."""
        kept = {entry.turn.id for entry in self._log.entries[self._window.first : self._window.last]}
        for child in self._mounted():
            if child.turn.id not in kept if isinstance(child, TurnView) else not self._window.holds(child.place):
                self._leave(child)

    @staticmethod
    def _leave(child: TurnView | Aside) -> None:
        child.going = True  # it does not count from now on, though it is there for a moment
        child.remove()

    def _views(self, first: int, last: int) -> Sequence[TurnView | Aside]:
        """The entries from `first` to before `last`, each with the cards behind it."""
        views: list[TurnView | Aside] = [] if first else self._asides(-1)
        for place in range(first, last):
            views += [self._view(place), *self._asides(place)]
        return views

    def _asides(self, place: int) -> list[TurnView | Aside]:
        return [Aside(note, place) for note in self._log.notes.get(place, ())]

    def _view(self, place: int) -> TurnView:
        entry = self._log.entries[place]
        turn = entry.turn
        return TurnView(turn, variant=(entry.at + 1, len(entry.variants)), error=self._log.errors.get(turn.id))

    # --- following ----------------------------------------------------------------------------------------

    def _show(self, place: int) -> None:
        view = self.turn(self._log.entries[place].turn.id)
        if view:
            self.scroll_part.go_to(view)

    def _mark(self, widget: Widget) -> None:
        """Something was written: say so where it is out of view."""
        scroll = self.scroll_part
        below = widget.virtual_region.bottom > scroll.scroll_y + scroll.size.height
        self._more.set_class(not scroll.following and below, "shown")

    @on(Scroll.AtEnd)
    def _nothing_new(self) -> None:
        if self._window.ends:
            self._more.remove_class("shown")
