"""While a question is typed: its tokens are counted and its beginning is computed, in the pauses."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual.timer import Timer

from medlora_edge.tui.budget import Budget
from medlora_edge.tui.desk import Order

if TYPE_CHECKING:
    from medlora_edge.tui.screens.chat import ChatScreen

PAUSE_SECONDS = 0.4  # in typing, after which tokens are counted and what is typed is read ahead


class Counting:
    """What the chat screen does in a pause."""

    def __init__(self, chat: "ChatScreen") -> None:
        self._chat = chat
        self._pause: Timer | None = None

    def later(self) -> None:
        """Count when nothing was typed for a while."""
        if self._pause:
            self._pause.stop()
        self._pause = self._chat.set_timer(PAUSE_SECONDS, self._paused)

    def _paused(self) -> None:
        chat = self._chat
        if chat.standing.ready:
            count = partial(self._count, Order(chat.mode, chat.question()))
            chat.run_worker(count, thread=True, exclusive=True, group="count")

    def _count(self, order: Order) -> None:
        chat = self._chat
        budget = chat.desk.budget(order.task, order.question)
        chat.tell(self._show, budget)
        if not chat.busy and (order.question.question or order.question.contexts):
            chat.desk.read_ahead(order.task, order.question)

    def _show(self, budget: Budget | None) -> None:
        self._chat.show(replace(self._chat.standing, budget=budget))
