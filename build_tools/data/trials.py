"""Yes / no / maybe questions from abstracts of randomised trials, by the rule of docs/trial-questions.md.

    python -m build_tools.data.trials FILE [SEED]

prints the counts and a sample of 50 to be checked by hand.
"""

import random
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from build_tools.data.documents import Exchange, LeftOut
from build_tools.data.foreign import Record, first_problem, json_lines
from build_tools.data.trial_labels import label
from build_tools.data.trial_questions import question
from medlora_edge.errors import CorruptError
from medlora_edge.tasks import Question, task

SAMPLE = 50
CONCLUSION = "CONCLUSIONS"
SHOWN = ("BACKGROUND", "OBJECTIVE", "METHODS", "RESULTS")
OBJECTIVES = ("OBJECTIVE", "BACKGROUND")
NO_RESULTS = "trial without results or conclusion"
NO_QUESTION = "trial that the rule finds no question in"
NO_LABEL = "trial whose conclusion the rule cannot label"

_Filled = Annotated[str, StringConstraints(pattern=r"\S")]


class _Sentence(BaseModel):
    model_config = ConfigDict(strict=True)

    label: str
    text: _Filled


class _Trial(BaseModel):
    model_config = ConfigDict(strict=True)

    pmcid: _Filled
    title: _Filled
    sentences: list[_Sentence]

    def of(self, *labels: str) -> list[str]:
        """Sentences with these labels, in order."""
        return [sentence.text for sentence in self.sentences if sentence.label in labels]


def trials(path: Path) -> Iterator[Exchange | LeftOut]:
    """A question, or why there is none, of every abstract. Raises as `json_lines`, CorruptError for another form."""
    return map(_of, json_lines(path))


def _of(record: Record) -> Exchange | LeftOut:
    try:
        trial = _Trial.model_validate(record.fields)
    except ValidationError as error:
        fix = "a record has pmcid, title and sentences (label, text)"
        raise CorruptError(first_problem(error), where=record.where, fix=fix) from error
    conclusion = trial.of(CONCLUSION)
    if not conclusion or not trial.of("RESULTS"):
        return LeftOut(record.file, record.where, NO_RESULTS)
    asked = question(trial.title, trial.of(*OBJECTIVES))
    if asked is None:
        return LeftOut(record.file, record.where, NO_QUESTION)
    answer = label(asked, conclusion)
    if answer is None:
        return LeftOut(record.file, record.where, NO_LABEL)
    asking, item = task("pubmedqa"), Question(trial.pmcid, asked, _contexts(trial))
    target = asking.target(item, answer, " ".join(conclusion))
    id_ = f"{record.file.name}:{record.number}"
    return Exchange(
        id_, record.file, record.where, asked, asking.messages(item), target, label=answer, group=trial.pmcid
    )


def _contexts(trial: _Trial) -> tuple[str, ...]:
    """One paragraph a section, as PubMedQA has them, without the conclusion."""
    shown = (sentence for sentence in trial.sentences if sentence.label in SHOWN)
    return tuple(" ".join(one.text for one in part) for _, part in groupby(shown, key=lambda one: one.label))


def sample(path: Path, seed: int) -> Iterator[str]:
    """Lines of text: how many questions by label, what was left out, and 50 questions with label and conclusion."""
    found = list(trials(path))
    made = [item for item in found if isinstance(item, Exchange)]
    yield f"{len(made):,} questions of {len(found):,} trials: {dict(Counter(item.label for item in made))}"
    yield f"left out: {dict(Counter(item.reason for item in found if isinstance(item, LeftOut)))}"
    for item in random.Random(seed).sample(made, min(SAMPLE, len(made))):  # noqa: S311 - no secret
        yield f"\n{item.id}\n  {item.asked}\n  {item.answer}"


if __name__ == "__main__":
    print("\n".join(sample(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)))
