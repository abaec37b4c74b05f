"""From an engine's answer to a journal line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medlora_edge.bench.asking import answered, engine_failed, item_seed, too_long
from medlora_edge.bench.dataset import Item
from medlora_edge.bench.kinds import Flag, Mode
from medlora_edge.bench.schema import RunSettings, Sample
from medlora_edge.bench.sizing import Prompted, context_for
from medlora_edge.bench.tally import eta
from medlora_edge.engine.protocol import Done, Reason, Sampling, Scored, Timings
from medlora_edge.tasks import Question, task

ITEM = Item(Question("7", "Does it work?", ("It was tried.",)), "yes")
TASK = task("pubmedqa")
LLAMA_RANDOM_SEED = 0xFFFFFFFF


def done(text: str, reason: Reason = Reason.END_OF_TURN, margin: float | None = None) -> Done:
    return Done(id=1, reason=reason, text=text, prompt_sha256="ab", min_margin=margin, timings=Timings())


def scored(**logprobs: float) -> Scored:
    return Scored(
        id=1,
        logprobs=logprobs,
        first_logprobs=logprobs,
        top_token=5,
        top_logprob=-0.1,
        probability_sum=1.0,
        prompt_sha256="ab",
        timings=Timings(),
    )


@given(st.integers(0, 1 << 40), st.text())
def test_item_seed_is_a_seed_for_the_engine(run_seed: int, id_: str) -> None:
    seed = item_seed(run_seed, id_)
    assert Sampling(seed=seed).seed == seed != LLAMA_RANDOM_SEED


def test_item_seeds_differ_by_item_and_run_and_never_change() -> None:
    seeds = {item_seed(run_seed, str(id_)) for run_seed in range(20) for id_ in range(20)}
    assert len(seeds) == 400
    assert item_seed(0, "21645374") == 1_713_867_958


def test_scored_label_and_probabilities() -> None:
    line = answered(TASK, ITEM, RunSettings(mode=Mode.SCORE), scored(yes=-3.0, no=-1.0, maybe=-2.0))
    assert (line.strict_label, line.lenient_label, line.response) == ("no", "no", None)
    assert line.label_probs is not None
    assert sum(line.label_probs.values()) == pytest.approx(1)
    assert line.label_probs["no"] == pytest.approx(0.66524, abs=1e-5)
    assert line.flags == ()


@pytest.mark.parametrize(("gap", "flags"), [(0.09, (Flag.NEAR_TIE,)), (0.11, ())])
def test_scores_close_to_each_other_are_near_ties(gap: float, flags: tuple[Flag, ...]) -> None:
    line = answered(TASK, ITEM, RunSettings(mode=Mode.SCORE), scored(yes=-1.0, no=-1.0 - gap, maybe=-200000.0))
    assert line.flags == flags


def test_generated_answer_is_read_twice() -> None:
    line = answered(TASK, ITEM, RunSettings(), done("The answer is no.", margin=0.5))
    assert (line.strict_label, line.lenient_label) == (None, "no")
    assert line.flags == ()
    assert line.seed == item_seed(0, "7")


def test_flags_of_a_generated_answer() -> None:
    line = answered(TASK, ITEM, RunSettings(), done("Yes,", Reason.STOP_WHEN, margin=0.05))
    assert line.flags == (Flag.STOPPED_EARLY, Flag.NEAR_TIE)
    assert line.strict_label == "yes"


def test_unanswered_items_are_kept_without_a_label() -> None:
    prompt = Prompted(ITEM, tokens=9000, need=9256, prompt_sha256="cd")
    for line, flag in ((too_long(prompt), Flag.TOO_LONG), (engine_failed(prompt, "died"), Flag.ENGINE_FAILED)):
        assert line.flags == (flag,)
        assert (line.gold, line.strict_label, line.lenient_label, line.response) == ("yes", None, None, None)
        assert line.prompt_sha256 == "cd"


def test_every_sequence_has_room_for_the_longest_item() -> None:
    assert context_for([100, 300, 200], 2) == 1024
    assert context_for([100], 16) == 4096
    assert context_for([], 1) == 256


@pytest.mark.parametrize(
    ("done_", "left", "seconds", "text"),
    [
        (0, 5, 1.0, "time left unknown"),
        (2, 4, 10.0, "20 s left"),
        (1, 100, 3.0, "5 min 00 s left"),
        (1, 500, 25.0, "3 h 28 min left"),
    ],
)
def test_time_left(done_: int, left: int, seconds: float, text: str) -> None:
    assert eta(done_, left, seconds) == text


@pytest.mark.parametrize("score", [float("nan"), float("-inf")])
def test_scores_that_are_no_numbers_give_no_label_and_a_line_that_can_be_read(score: float) -> None:
    line = answered(TASK, ITEM, RunSettings(mode=Mode.SCORE), scored(yes=score, no=-1.0, maybe=-2.0))
    assert (line.strict_label, line.lenient_label, line.label_probs) == (None, None, None)
    assert Sample.model_validate_json(line.model_dump_json()) == line
