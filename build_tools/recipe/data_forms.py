"""The forms of data that a stage of a recipe may name, each with its keys."""

from typing import Annotated, Literal

from pydantic import Field

from build_tools.recipe.part import File, Part, Positive, Sha256, Share


class _Source(Part):
    licence: str
    share: Share | None = None  # of the stage's tokens in training; documents are repeated, or a part taken


class _Questions(_Source):
    file: File
    sha256: Sha256 | None = None  # of the file; another one is refused
    held_out: Share | None = None  # of its questions, instead of `evaluation.share`; the same in every stage


class PubMedQAData(_Questions):
    """Records of `ori_pqal.json`, plain or gzip, asked as the task `pubmedqa` asks.

    `share`: part of the stage's training tokens that this source makes up, by repeating or leaving out documents.
    `held_out`: part of its questions that no stage trains on; of one file, it is the same in every stage.
    """

    format: Literal["pubmedqa"]
    split: Literal["train"] = "train"


class RctAbstractsData(_Questions):
    """Abstracts of randomised trials as JSON lines with labelled sentences, asked as the task `pubmedqa` asks.

    Questions and their answers yes, no or maybe are made by a rule, from title or objective and from the conclusion.
    `rule`: its version; see docs/trial-questions.md.
    """

    format: Literal["rct_abstracts"]
    rule: Literal[1] = 1


class MultipleChoiceData(_Questions):
    """MedQA or MedMCQA as JSON lines: question, options by letter, answer_idx; asked as `multiple_choice` asks."""

    format: Literal["multiple_choice"]


class QuestionAnswerData(_Questions):
    """JSON lines of open questions; the fields are named here. `thought` becomes a `<think>` part before the answer.

    `group`: fields that together name the document of a record; a whole document is held out, or nothing of it.
    `fewest_words`, `most_words`: shorter and longer answers are left out. `boilerplate`: answers with one of these
    texts in them are left out too. All are counted.
    """

    format: Literal["question_answer"]
    question: str = "question"
    answer: str = "answer"
    thought: str | None = None
    group: Annotated[tuple[str, ...], Field(strict=False)] = ()
    fewest_words: Positive | None = None
    most_words: Positive | None = None
    boilerplate: Annotated[tuple[str, ...], Field(strict=False)] = ()


class TextData(_Source):
    """Plain text (one document a file) or JSON lines (one document a line, in `field`) to be continued.

    A field may also hold a list of parts with `text` and perhaps `title`. `sha256`: one for each file, in order.
    `share`: part of the stage's training tokens that this source makes up, by repeating or leaving out documents.
    """

    format: Literal["text"]
    files: tuple[File, ...] = Field(min_length=1, strict=False)
    sha256: Annotated[tuple[Sha256, ...], Field(strict=False)] | None = None
    field: str = "text"


Questions = PubMedQAData | RctAbstractsData | MultipleChoiceData | QuestionAnswerData
ChatData = Annotated[Questions, Field(discriminator="format")]
AnyData = Annotated[TextData | Questions, Field(discriminator="format")]
