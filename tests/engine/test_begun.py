"""Going on with an answer that was left: as if it had never been interrupted, and only its own words."""

from pathlib import Path

import pytest

from medlora_edge.engine import Done, Engine, Reuse
from medlora_edge.engine.native import Weights
from medlora_edge.engine.prompts import Prompter
from medlora_edge.engine.protocol import Token
from tests.engine.chats import GREEDY, chat

NEAR_TIE = 0.1  # nats: what the shape of a batch may move


@pytest.fixture(scope="module")
def prompter(tiny_gguf: Path) -> Prompter:
    return Prompter(Weights(str(tiny_gguf), gpu_layers=0, on_progress=lambda _: None))


def streamed(engine: Engine, words: str, **options: object) -> tuple[list[Token], Done]:
    pending = engine.generate(chat(words), sampling=GREEDY, max_tokens=6, **options)  # type: ignore[arg-type]
    said = [event for event in pending.events() if isinstance(event, Token)]
    done = pending.result()
    assert isinstance(done, Done)
    return said, done


def test_greedy_goes_on_as_the_unbroken_answer_where_its_words_become_the_same_tokens(
    engine: Engine, prompter: Prompter
) -> None:
    compared = 0
    for number in range(6):
        words = f"Question number {number}, in {'many ' * number} words?"
        said, _ = streamed(engine, words, reuse=Reuse.NONE)
        _, unbroken = streamed(engine, words, stream=False, reuse=Reuse.NONE)
        near_tie = unbroken.min_margin is None or unbroken.min_margin < NEAR_TIE
        for k in range(1, len(said)):
            begun = "".join(token.text for token in said[:k])
            asked = prompter.prompt(chat(words), Reuse.NONE).tokens
            if prompter.prompt(chat(words), Reuse.NONE, begun).tokens != [*asked, *(t.token for t in said[:k])]:
                continue
            _, rest = streamed(engine, words, begun=begun, reuse=Reuse.NONE)
            assert near_tie or (begun + rest.text).startswith(unbroken.text)
            compared += not near_tie
    assert compared


def test_what_is_begun_is_not_said_again_and_comes_out_of_the_cache(engine: Engine) -> None:
    said, first = streamed(engine, "Where were we?")
    begun = "".join(token.text for token in said)
    _, rest = streamed(engine, "Where were we?", begun=begun)
    assert not rest.text.startswith(begun)
    assert rest.timings.cached_tokens >= first.timings.prompt_tokens
    assert rest.prompt_sha256 != first.prompt_sha256


@pytest.mark.parametrize("control", ["</s>", "<s>"])
def test_begun_words_that_spell_a_control_token_are_words(engine: Engine, control: str) -> None:
    bare, spelt = (streamed(engine, "Go on.", begun=begun)[1].timings.prompt_tokens for begun in ("", control))
    assert spelt >= bare + 2
