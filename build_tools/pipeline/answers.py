"""Answers to held-out open questions, tuned and untuned model side by side, scored by token F1."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from build_tools.data.documents import Exchange, normalised
from build_tools.data.rows import Row
from build_tools.data.sources import read
from build_tools.gates.report import GateReport, Measure
from build_tools.pipeline.answer import context
from build_tools.recipe.data_forms import QuestionAnswerData
from build_tools.recipe.schema import AnswersGate, Stage
from medlora_edge.errors import UsageError

SHOWN = 10  # answers in the card: the best and the worst


@dataclass(frozen=True)
class Answered:
    """A held-out question, what its source answers, what the model answers, and their token F1."""

    question: str
    reference: str
    answer: str
    f1: float


def token_f1(answer: str, reference: str) -> float:
    """Harmonic mean of precision and recall over words, each as often as both have it (SQuAD, Rajpurkar et al. 2016).

    0 to 1; two empty texts are equal. Words are compared in lower case and without punctuation; articles count.
    """
    given, wanted = (Counter(normalised(text).split()) for text in (answer, reference))
    if not given or not wanted:
        return float(given == wanted)
    shared = (given & wanted).total()
    return 2 * shared / (given.total() + wanted.total())


def held_out_questions(stage: Stage, recipe_folder: Path, rows: Sequence[Row], most: int) -> tuple[Exchange, ...]:
    """Open questions among the held-out rows, at most so many, spread evenly over the file.

    Raises UsageError where the stage holds none out.
    """
    ids = {id_ for row in rows for id_ in row.ids}
    sources = [data for data in stage.data if isinstance(data, QuestionAnswerData)]
    documents = (entry for data in sources for entry in read(data, recipe_folder))
    found = [entry for entry in documents if isinstance(entry, Exchange) and entry.id in ids]
    if not found:
        fix = "give a question_answer source held_out, or leave gates.answers out"
        raise UsageError("no open question is held out", where=f"stage {stage.name}", fix=fix)
    step = max(1, len(found) // most)
    return tuple(found[::step][:most])


def answers_gate(
    tuned: Path, untuned: Path, questions: Sequence[Exchange], gate: AnswersGate, log: Path
) -> tuple[GateReport, dict[str, JsonValue]]:
    """Mean token F1 of both models' greedy answers, the tuned one's against the bar; and the best and worst answers.

    Raises CorruptError (exit 3) for a file that the engine refuses, EngineError (exit 7) when it fails.
    """
    answered, before = (tuple(_answered(gguf, questions, gate.longest, log)) for gguf in (tuned, untuned))
    score, start = _mean(answered), _mean(before)
    measures = (Measure(name="token F1", value=score, limit=start + gate.gain, side="at least"),)
    ranked = sorted(answered, key=lambda one: -one.f1)
    shown = ranked if len(ranked) <= SHOWN else [*ranked[: SHOWN // 2], *ranked[-SHOWN // 2 :]]
    facts: dict[str, JsonValue] = {
        "questions": len(questions),
        "token_f1": score,
        "token_f1_untuned": start,
        "shown": [vars(one) for one in shown],
    }
    return GateReport(hop="answers to held-out questions", measures=measures), facts


def _answered(gguf: Path, questions: Sequence[Exchange], longest: int, log: Path) -> Iterator[Answered]:
    from medlora_edge import models
    from medlora_edge.engine import Done, Engine, Sampling

    with Engine(log=log) as engine:
        engine.load(gguf)
        prompts = engine.count([one.messages for one in questions])
        engine.open(context(models.inspect(gguf), max(prompts.tokens) + longest))
        for one in questions:
            pending = engine.generate(
                one.messages, sampling=Sampling(temperature=0.0), max_tokens=longest, stream=False
            )
            done = pending.result()
            assert isinstance(done, Done)  # noqa: S101 - the answer to generate
            yield Answered(one.asked, one.answer, done.text, token_f1(done.text, one.answer))


def _mean(answered: Sequence[Answered]) -> float:
    return sum(one.f1 for one in answered) / len(answered)
