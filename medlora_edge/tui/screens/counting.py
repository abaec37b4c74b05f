"""While a question is typed: its tokens are counted and its beginning is computed, in the pauses."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual.timer import Timer

from medlora_edge.tui.keeping.desk import Order
from medlora_edge.tui.session.budget import Budget, about
from medlora_edge.tui.widgets.prompt import Abstract, Box

if TYPE_CHECKING:
    from medlora_edge.tui.screens.chat import ChatScreen

PAUSE_SECONDS = 0.4  # in typing, after which tokens are counted and what is typed is read ahead


class Counting:
    """What the chat screen does in a pause."""

    def __init__(self, chat: "ChatScreen") -> None:
        self._chat = chat
        self._pause: Timer | None = None
        self._length = 0  # characters of what was counted last
        self._read = ("", "", "")  # what is read ahead, as `_typed`

    def later(self) -> None:
        """Estimate now, count when nothing was typed for a while."""
        self._forget_other()
        self._show(self._chat.standing.budget)
        if self._pause:
            self._pause.stop()
        self._pause = self._chat.set_timer(PAUSE_SECONDS, self._paused)

    def _forget_other(self) -> None:
        """What was read ahead is of use only while what is typed begins with it."""
        at, (*around, begun) = self._chat.standing, self._read
        *now_around, text = self._typed
        if at.ahead and not (now_around == around and text.startswith(begun)):
            self._chat.show(replace(at, ahead=""))

    @property
    def _typed(self) -> tuple[str, str, str]:
        """Mode, abstract, question."""
        return self._chat.mode, self._chat.query_one(Abstract).text, self._chat.prompt.text

    @property
    def _characters(self) -> int:
        return sum(len(box.text) for box in self._chat.query(Box))

    def _paused(self) -> None:
        chat = self._chat
        if chat.standing.ready:
            self._read = self._typed
            order = Order(chat.mode, chat.question(), retry_of=chat.asking.edits)
            count = partial(self._count, order, self._characters)
            chat.run_worker(count, thread=True, exclusive=True, group="count")

    def _count(self, order: Order, length: int) -> None:
        chat = self._chat
        budget = chat.desk.budget(order)
        chat.tell(self._counted, budget, length)
        if chat.busy:
            return
        if order.question.question or order.question.contexts:
            chat.desk.read_ahead(order)
        else:
            chat.desk.session.stop_prefill()

    def _counted(self, budget: Budget | None, length: int) -> None:
        self._length = length
        self._show(budget)

    def _show(self, budget: Budget | None) -> None:
        """With what was typed since it was counted."""
        at = self._chat.standing
        now = replace(budget, typed=about(self._characters - self._length)) if budget else None
        if now != at.budget:
            self._chat.show(replace(at, budget=now))
