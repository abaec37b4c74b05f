"""The scheduler's economy, seen without a process: how many batches a set of requests costs, and what is copied."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from medlora_edge.engine.cache import KvCache
from medlora_edge.engine.cancel import Cancellations
from medlora_edge.engine.decoder import Decoder
from medlora_edge.engine.native import Context, Weights
from medlora_edge.engine.prompts import Prompter
from medlora_edge.engine.protocol import ContextOptions, Done, Event, Generate, Reuse
from tests.engine.chats import GREEDY, chat

SLOTS = 4


class Bare:
    """A decoder of four slots, its context, and what it said."""

    def __init__(self, weights: Weights) -> None:
        layout = KvCache.layout(ContextOptions(n_ctx=SLOTS * 256, n_seq_max=SLOTS), SLOTS * 256)
        self.context = Context(
            weights,
            n_ctx=layout.n_ctx,
            n_seq=layout.n_seq,
            unified=layout.unified,
            n_batch=256,
            threads=1,
            kv_type="f16",
            n_outputs=16,
        )
        self.said: list[Event] = []
        self.decoder = Decoder(
            weights, self.context, Prompter(weights), Cancellations(), n_slots=SLOTS, emit=self.said.append
        )

    def answer(self, questions: int, *, stream: bool) -> list[Done]:
        """Ask so many at once, three tokens each; the answers in the order of the questions."""
        self.said.clear()
        for number in range(questions):
            messages = tuple(chat(f"Question {number}?"))
            self.decoder.submit(
                Generate(id=number, messages=messages, sampling=GREEDY, max_tokens=3, reuse=Reuse.FIXED, stream=stream)
            )
        while self.decoder.busy:
            self.decoder.step()
        return sorted((event for event in self.said if isinstance(event, Done)), key=lambda done: done.id)


@pytest.fixture
def bare(tiny_gguf: Path) -> Iterator[Bare]:
    weights = Weights(str(tiny_gguf), gpu_layers=0, on_progress=lambda _: None)
    one = Bare(weights)
    yield one
    one.decoder.close()
    one.context.close()
    weights.close()


def test_an_answer_does_not_wait_for_the_prompts_of_others(bare: Bare) -> None:
    bare.answer(SLOTS, stream=True)
    tokens = [event.id for event in bare.said if event.event == "token"]
    assert tokens[:3] == [0, 0, 1]  # the first question's second token comes before the third question's first


def test_the_shared_beginning_is_copied_once_for_every_slot(bare: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    copies: list[tuple[int, int]] = []
    copy = bare.context.copy

    def counted(source: int, target: int) -> None:
        copies.append((source, target))
        copy(source, target)

    monkeypatch.setattr(bare.context, "copy", counted)
    first = bare.answer(2 * SLOTS, stream=False)
    assert sorted(copies) == [(SLOTS, slot) for slot in range(SLOTS)]
    assert [done.text for done in first] == [done.text for done in bare.answer(2 * SLOTS, stream=False)]
    assert len(copies) == SLOTS
