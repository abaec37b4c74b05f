"""Answers: streaming, stopping, grammar, sampling, and how many sequences share a batch."""

import itertools
import re

import pytest

from medlora_edge.engine import ContextOptions, Done, Engine, Reason, Reuse, Sampling
from medlora_edge.engine.protocol import Prefilling, Token
from medlora_edge.errors import StoppedError, UsageError
from tests.engine.chats import GREEDY, YES_NO_MAYBE, chat, reply


def answer(engine: Engine, words: str, **options: object) -> Done:
    done = engine.generate(chat(words), **options).result()  # type: ignore[arg-type]
    assert isinstance(done, Done)
    return done


def test_streamed_text_is_the_whole_answer(engine: Engine) -> None:
    pending = engine.generate(chat("What is sepsis?"), max_tokens=40)
    tokens = [event for event in pending.events() if isinstance(event, Token)]
    done = pending.result()
    assert isinstance(done, Done)
    assert len(tokens) == done.timings.generated_tokens == 40
    assert done.text.startswith("".join(token.text for token in tokens))
    assert all(token.logprob <= 0 for token in tokens)


def test_without_stream_only_the_end_is_said(engine: Engine) -> None:
    events = list(engine.generate(chat("What is sepsis?"), max_tokens=8, stream=False).events())
    assert [event.event for event in events] == ["done"]


def test_long_prompt_reports_progress(engine: Engine) -> None:
    events = list(engine.generate(chat("word " * 700), max_tokens=1, reuse=Reuse.NONE).events())
    done = [event.done for event in events if isinstance(event, Prefilling)]
    assert len(done) >= 2
    assert all(later - earlier == 512 for earlier, later in itertools.pairwise(done))


def test_stop_when_ends_the_answer_at_the_first_match(engine: Engine) -> None:
    free = answer(engine, "Count.", sampling=GREEDY, max_tokens=60, reuse=Reuse.FIXED)
    wanted = re.escape(free.text[8:12])
    stopped = answer(engine, "Count.", sampling=GREEDY, max_tokens=60, stop_when=wanted, reuse=Reuse.FIXED)
    assert stopped.reason is Reason.STOP_WHEN
    assert free.text.startswith(stopped.text)
    assert re.search(wanted, stopped.text)
    assert stopped.timings.generated_tokens < free.timings.generated_tokens


def test_an_answer_that_runs_on_after_its_decision_keeps_the_margin_of_the_decision(engine: Engine) -> None:
    options = {"sampling": GREEDY, "max_tokens": 60, "reuse": Reuse.FIXED, "stream": False}
    whole = answer(engine, "Count.", **options)
    decided = rf"\A{re.escape(whole.text[:3])}"
    stopped = answer(engine, "Count.", stop_when=decided, **options)
    ran_on = answer(engine, "Count.", stop_when=decided, stop_early=False, **options)
    assert ran_on.text == whole.text != stopped.text
    assert ran_on.min_margin == stopped.min_margin
    assert ran_on.reason is Reason.MAX_TOKENS


@pytest.mark.parametrize("temperature", [0.0, 0.2, 1.5])
def test_grammar_bounds_the_answer(engine: Engine, temperature: float) -> None:
    texts = set()
    for seed in range(6):
        sampling = Sampling(temperature=temperature, seed=seed)
        done = answer(engine, f"Question {seed}?", grammar=YES_NO_MAYBE, sampling=sampling)
        assert done.reason is Reason.GRAMMAR_DONE
        texts.add(done.text)
    assert texts <= {"yes.", "no.", "maybe."}


def test_seed_decides_and_zero_is_a_seed(engine: Engine) -> None:
    def said(seed: int) -> str:
        sampling = Sampling(temperature=1.5, top_k=0, top_p=1, min_p=0, seed=seed)
        return answer(engine, "Speak.", sampling=sampling, max_tokens=24, reuse=Reuse.FIXED).text

    assert said(0) == said(0)
    assert len({said(seed) for seed in range(5)}) == 5


def test_repeat_penalty_changes_a_greedy_answer(engine: Engine) -> None:
    plain = answer(engine, "Speak.", sampling=GREEDY, max_tokens=200, reuse=Reuse.FIXED)
    punished = Sampling(temperature=0, repeat_penalty=2.0)
    other = answer(engine, "Speak.", sampling=punished, max_tokens=200, reuse=Reuse.FIXED)
    assert plain.text != other.text


def test_many_sequences_answer_as_one_does_but_for_near_ties(engine: Engine) -> None:
    words = [f"Question number {n}, in {'many ' * n} words?" for n in range(9)]
    alone = [answer(engine, w, sampling=GREEDY, max_tokens=4, stream=False, reuse=Reuse.FIXED) for w in words]
    options = {"sampling": GREEDY, "max_tokens": 4, "stream": False, "reuse": Reuse.FIXED}
    together = [engine.generate(chat(w), **options) for w in words]  # type: ignore[arg-type]
    assert any(one.min_margin and one.min_margin >= 0.1 for one in alone)
    for one, pending in zip(alone, together, strict=True):
        done = pending.result()
        assert isinstance(done, Done)
        assert one.min_margin is not None
        assert done.text == one.text or one.min_margin < 0.1


def test_margin_is_for_greedy_answers_that_are_not_streamed(engine: Engine) -> None:
    assert answer(engine, "Speak.", max_tokens=3, stream=False).min_margin is None
    assert answer(engine, "Speak.", max_tokens=3, sampling=GREEDY).min_margin is None
    margin = answer(engine, "Speak.", max_tokens=3, sampling=GREEDY, stream=False).min_margin
    assert margin is not None
    assert margin >= 0


def test_second_turn_computes_its_new_tokens_only(engine: Engine) -> None:
    first = chat("Tell me about asthma. " * 12, system="A chat of its own.")
    answered = engine.generate(first, sampling=GREEDY, max_tokens=16).result()
    assert isinstance(answered, Done)
    again = engine.generate(first, sampling=GREEDY, max_tokens=16).result()
    assert again.timings.cached_tokens == again.timings.prompt_tokens - 1  # regenerating costs one token
    second = engine.generate(reply(first, answered.text, "And in children?"), max_tokens=4).result()
    assert second.timings.cached_tokens >= answered.timings.prompt_tokens


def test_prefill_ahead_is_found_by_the_question(engine: Engine) -> None:
    words = "An abstract that was pasted before the question was typed. " * 8
    ahead = engine.prefill(chat(words, system="Typed ahead.")).answer()
    assert ahead.event == "prefilled"
    done = engine.generate(chat(words + "Does it work?", system="Typed ahead."), max_tokens=1).result()
    assert done.timings.cached_tokens >= ahead.tokens - 1


def test_prompt_that_does_not_fit_is_refused_with_its_numbers(engine: Engine) -> None:
    with pytest.raises(UsageError, match=r"\d+ tokens does not fit into the context of 4096 tokens"):
        engine.generate(chat("word " * 9000)).result()


def test_text_over_one_mebibyte_is_refused_before_it_is_sent(engine: Engine) -> None:
    with pytest.raises(UsageError, match="1 MiB"):
        engine.generate(chat("x" * (1 << 20)))


def test_broken_grammar_is_the_requests_fault(engine: Engine) -> None:
    with pytest.raises(UsageError, match="grammar"):
        engine.generate(chat("x"), grammar='root ::= ("yes"').result()


def test_more_requests_than_slots_all_end(engine: Engine) -> None:
    pending = [engine.generate(chat(f"Question {n}"), max_tokens=700, stream=False) for n in range(12)]
    assert all(isinstance(one.result(), Done) for one in pending)


def test_reopening_ends_what_is_under_way(engine: Engine) -> None:
    pending = [engine.generate(chat(f"Question {n}"), max_tokens=3000, stream=False) for n in range(6)]
    engine.open(ContextOptions(n_ctx=16384, n_seq_max=4, threads=1))
    for one in pending:
        with pytest.raises(StoppedError):
            one.result()


@pytest.mark.parametrize("words", ["\ud800", "caf\udce9"])
def test_what_is_no_text_is_refused(engine: Engine, words: str) -> None:
    with pytest.raises(UsageError, match="not valid Unicode"):
        engine.generate(chat(words))


def test_reopening_keeps_the_weights(engine: Engine) -> None:
    before = answer(engine, "Same?", sampling=GREEDY, max_tokens=10, reuse=Reuse.NONE).text
    opened = engine.open(ContextOptions(n_ctx=2048, n_seq_max=2, threads=1))
    assert opened.n_seq_max == 2
    assert answer(engine, "Same?", sampling=GREEDY, max_tokens=10, reuse=Reuse.NONE).text == before
    engine.open(ContextOptions(n_ctx=16384, n_seq_max=4, threads=1))
