"""What is measured of type-ahead is the app's own way to the first token: run on the tiny model, without a clock."""

from pathlib import Path

import pytest

from benchmarks.setup import Setup
from benchmarks.typed_ahead import ABSTRACT_TOKENS, abstracts, opened, tokens, wait_seconds
from medlora_edge.errors import EngineError


@pytest.fixture
def setup(tiny_gguf: Path, tmp_path: Path) -> Setup:
    return Setup(tiny_gguf, threads=1, rounds=1, workplace=tmp_path)


def test_both_sides_ask_texts_of_the_same_length_that_no_cache_knows(setup: Setup) -> None:
    with opened(setup) as (session, watch):
        pastes = abstracts(setup, session)
        texts = [next(pastes) for _ in range(2)]
        assert all(ABSTRACT_TOKENS - 20 <= tokens(session, text.split(" ")) <= ABSTRACT_TOKENS for text in texts)
        assert texts[0][:4] != texts[1][:4]
        assert wait_seconds(session, watch, texts[0], ahead=True) > 0
        assert wait_seconds(session, watch, texts[1], ahead=False) > 0


def test_question_that_gets_no_answer_is_an_error_and_not_a_wait(setup: Setup) -> None:
    with opened(setup) as (session, watch), pytest.raises(EngineError, match="nothing was said"):
        wait_seconds(session, watch, "word " * 9000, ahead=False)
