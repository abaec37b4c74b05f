"""Label scores: what they are, and that they depend on nothing but the question."""

import math
from pathlib import Path

import pytest

from medlora_edge.engine import ContextOptions, Engine, Reuse, Scored
from medlora_edge.engine.native import Context, Feed, Weights
from medlora_edge.engine.prompts import Prompter
from medlora_edge.engine.protocol import Token
from medlora_edge.engine.sampling import log_softmax
from medlora_edge.errors import UsageError
from tests.engine.chats import CANDIDATES, GREEDY, chat


@pytest.fixture(scope="module", autouse=True)
def _one_sequence(engine: Engine) -> None:
    engine.open(ContextOptions(n_ctx=4096, threads=1))


def score(engine: Engine, words: str, reuse: Reuse = Reuse.FIXED) -> Scored:
    scored = engine.score(chat(words), CANDIDATES, reuse=reuse).result()
    assert isinstance(scored, Scored)
    return scored


def test_scores_are_log_probabilities(engine: Engine) -> None:
    scored = score(engine, "Does it help?")
    assert set(scored.logprobs) == set(CANDIDATES)
    assert all(-math.inf < value < 0 for value in scored.logprobs.values())
    assert scored.probability_sum == pytest.approx(1, abs=1e-6)
    assert all(scored.logprobs[label] <= scored.first_logprobs[label] for label in CANDIDATES)
    assert scored.top_logprob >= max(scored.first_logprobs.values())


def test_greedy_decoding_picks_the_top_token(engine: Engine) -> None:
    scored = score(engine, "Does it help?")
    pending = engine.generate(chat("Does it help?"), sampling=GREEDY, max_tokens=1, reuse=Reuse.FIXED)
    token = next(event for event in pending.events() if isinstance(event, Token))
    assert token.token == scored.top_token
    assert token.logprob == pytest.approx(scored.top_logprob, abs=1e-6)


def test_a_score_does_not_depend_on_reuse_order_or_neighbours(engine: Engine) -> None:
    words = [f"Is question {n} {'much ' * (40 * n)}longer than the one before?" for n in range(6)]
    engine.open(ContextOptions(n_ctx=4096, threads=1))
    alone = [score(engine, w, Reuse.NONE).logprobs for w in words]
    engine.open(ContextOptions(n_ctx=4096, threads=1))
    pending = [engine.score(chat(w), CANDIDATES) for w in reversed(words)]
    backwards = [one.result() for one in pending][::-1]
    assert [one.logprobs for one in backwards if isinstance(one, Scored)] == alone


def test_the_shared_prefix_is_computed_once(engine: Engine) -> None:
    engine.open(ContextOptions(n_ctx=4096, threads=1))
    system = "A long system prompt that every question shares. " * 20
    before = engine.stats().computed_prompt_tokens
    scored = [engine.score(chat(f"Question {n}?", system), CANDIDATES).result() for n in range(5)]
    computed = engine.stats().computed_prompt_tokens - before
    prefix = scored[1].timings.cached_tokens
    assert prefix > 150
    assert all(one.timings.cached_tokens == prefix for one in scored)
    assert computed == prefix + sum(one.timings.prompt_tokens - prefix for one in scored)


def test_sum_over_tokens_equals_the_chain_rule(engine: Engine, tiny_gguf: Path) -> None:
    """The same sum by hand: the whole text in one plain batch, a log-softmax at each candidate token."""
    weights = Weights(str(tiny_gguf), gpu_layers=0, on_progress=lambda _: None)
    context = Context(weights, n_ctx=512, n_seq=1, unified=True, n_batch=512, threads=1, kv_type="f16", n_outputs=48)
    prompter = Prompter(weights)
    scored = score(engine, "Chain?")
    prompt = prompter.prompt(chat("Chain?")).tokens
    for label, text in CANDIDATES.items():
        tokens = prompter.with_candidate(chat("Chain?"), text)
        assert tokens[: len(prompt)] == prompt
        context.decode([Feed(0, 0, tokens, range(len(prompt) - 1, len(tokens)))])
        rows = enumerate(tokens[len(prompt) :], len(prompt) - 1)
        by_hand = sum(log_softmax(context.logits(row))[token] for row, token in rows)
        context.drop(0)
        assert scored.logprobs[label] == pytest.approx(by_hand, abs=1.0)  # another batch shape moves logits
        assert abs(by_hand) > 10


@pytest.mark.parametrize(
    ("candidates", "why"),
    [
        ({"a": "yes", "b": "yes."}, "beginning of another"),
        ({str(n): f"answer {n}." for n in range(9)}, "more than 8 candidates"),
        ({"a": "word " * 60, "b": "other"}, "more than 48 tokens"),
    ],
)
def test_candidates_that_cannot_be_scored_are_refused(engine: Engine, candidates: dict[str, str], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        engine.score(chat("x"), candidates).result()


def test_many_sequences_score_nothing(engine: Engine) -> None:
    engine.open(ContextOptions(n_ctx=4096, n_seq_max=2, threads=1))
    with pytest.raises(UsageError, match="a context of one sequence"):
        engine.score(chat("x"), CANDIDATES).result()
    engine.open(ContextOptions(n_ctx=4096, threads=1))


def test_option_letters_share_their_bracket(engine: Engine) -> None:
    letters = {letter: f"({letter})" for letter in "ABCDE"}
    scored = engine.score(chat("Which?"), letters).result()
    assert isinstance(scored, Scored)
    assert len(set(scored.logprobs.values())) == 5


def test_count_agrees_with_what_is_computed(engine: Engine) -> None:
    chats = [chat(f"{'word ' * n}?") for n in (1, 50, 300)]
    counted = engine.count(chats)
    for one, tokens, sha256 in zip(chats, counted.tokens, counted.prompt_sha256, strict=True):
        done = engine.generate(one, max_tokens=1).result()
        assert (done.timings.prompt_tokens, done.prompt_sha256) == (tokens, sha256)


def test_count_takes_more_than_one_line_of_chats(engine: Engine) -> None:
    counted = engine.count([chat("word " * 20000)] * 12)
    assert len(counted.tokens) == 12
    assert len(set(counted.tokens)) == 1
