"""A multiple-choice question as people paste it: the stem, then its options one per line or run together."""

import re
from dataclasses import replace

from medlora_edge.tasks.multiple_choice import LETTERS
from medlora_edge.tasks.question import Question

_OPTION = re.compile(r"(?:^|(?<=\s))(?:\(([A-Ja-j])\)|([A-J])[.):])[ \t]+", re.MULTILINE)


def split_options(question: Question) -> Question:
    """The same question with the options taken out of its text; unchanged where no A, B, ... stand in order.

    The options are the last run of marks that begins with A and goes on without a gap, so that an "(A)" inside the
    stem is not taken for one.
    """
    marks = [(match, (match[1] or match[2]).upper()) for match in _OPTION.finditer(question.question)]
    starts = [index for index, (_, letter) in enumerate(marks) if letter == "A"]
    run = marks[starts[-1] :] if starts else []
    expected = LETTERS[: len(run)]
    if len(run) < 2 or "".join(letter for _, letter in run) != expected:
        return question
    ends = [match.start() for match, _ in run[1:]] + [len(question.question)]
    options = {
        letter: question.question[match.end() : end].strip(" \t\n;,")
        for (match, letter), end in zip(run, ends, strict=True)
    }
    return replace(question, question=question.question[: run[0][0].start()].strip(), options=options)
