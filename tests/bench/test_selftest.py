"""The self-test of score mode refuses each way in which scores can be meaningless."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import nan
from typing import Any, cast

import pytest

from medlora_edge.bench import selftest
from medlora_edge.bench.dataset import Item
from medlora_edge.engine import Engine, Reason, Reuse
from medlora_edge.engine.protocol import Done, Scored, Timings, Token
from medlora_edge.errors import GateError
from medlora_edge.tasks import Question, task

ITEM = Item(Question("7", "Does it work?", ("It was tried.",)), "yes")
GOOD = Scored(
    id=1,
    logprobs={"yes": -2.0, "no": -3.0, "maybe": -4.0},
    first_logprobs={"yes": -1.0, "no": -2.0, "maybe": -3.0},
    top_token=5,
    top_logprob=-0.5,
    probability_sum=1.0,
    prompt_sha256="ab",
    timings=Timings(),
)


GREEDY = Token(id=1, token=5, text="x", logprob=-0.5)


@dataclass
class Answer:
    """A request whose answer is written down already."""

    answer: Any
    token: Token | None = None

    def result(self) -> Any:
        return self.answer

    def events(self) -> Iterator[Any]:
        yield from filter(None, [self.token, self.answer])


@dataclass
class Script:
    """An engine that is wrong in a planned way: no real one can be made to be."""

    fixed: Scored = GOOD
    alone: Scored = GOOD
    greedy: Token | None = GREEDY

    def score(self, *_: object, reuse: Reuse) -> Answer:
        return Answer(self.fixed if reuse is Reuse.FIXED else self.alone)

    def generate(self, *_: object, **__: object) -> Answer:
        done = Done(id=1, reason=Reason.MAX_TOKENS, text="x", prompt_sha256="ab", timings=Timings())
        return Answer(done, self.greedy)


def changed(**changes: Any) -> Scored:
    return GOOD.model_copy(update=changes)


def check(script: Script) -> None:
    selftest.check(cast("Engine", script), task("pubmedqa"), ITEM)


def test_passes_when_all_holds() -> None:
    check(Script())
    check(Script(alone=changed(logprobs={"yes": -2.004, "no": -2.996, "maybe": -4.0})))


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (Script(fixed=changed(probability_sum=0.99)), "sum to 0.99"),
        (Script(fixed=changed(probability_sum=nan)), "sum to nan"),
        (Script(fixed=changed(logprobs={"yes": -2.0, "no": nan, "maybe": -4.0})), "not finite"),
        (Script(fixed=changed(first_logprobs={"yes": -1.0, "no": float("-inf")})), "not finite"),
        (Script(fixed=changed(logprobs={"yes": -2.0, "no": -2.0, "maybe": -2.0})), "same score"),
        (Script(alone=changed(logprobs={"yes": -2.2, "no": -3.0, "maybe": -4.0})), "computed alone"),
        (Script(greedy=Token(id=1, token=9, text="y", logprob=-2.5)), "token 9"),
        (Script(greedy=None), "no token"),
        (Script(fixed=changed(top_logprob=-2.5), greedy=Token(id=1, token=5, text="x", logprob=-2.5)), "'yes'"),
    ],
)
def test_refuses(script: Script, words: str) -> None:
    with pytest.raises(GateError, match=words):
        check(script)
