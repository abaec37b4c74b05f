"""The recipe's data sets as documents: asked and answered as `medlora_edge.tasks` does, so that all see one prompt."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from build_tools.data.documents import Document, Exchange, LeftOut, Passage, with_thought
from build_tools.data.foreign import Record, first_problem, json_lines, require_sha256, whole_text
from build_tools.data.trials import trials
from build_tools.recipe.data_forms import (
    AnyData,
    MultipleChoiceData,
    PubMedQAData,
    QuestionAnswerData,
    RctAbstractsData,
    TextData,
)
from build_tools.recipe.schema import Stage
from medlora_edge.bench.dataset import Dataset, Item, parse
from medlora_edge.bench.library import official_test_ids
from medlora_edge.bench.rawfile import read_bounded
from medlora_edge.engine.protocol import Message
from medlora_edge.errors import CorruptError, UsageError
from medlora_edge.tasks import Question, Task, task

_JSON_LINES = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")


class _MultipleChoice(BaseModel):
    model_config = ConfigDict(strict=True)

    question: Annotated[str, StringConstraints(pattern=r"\S")]
    options: dict[str, str]
    answer_idx: str


class _PartOfText(BaseModel):
    title: str = ""
    text: str


_PARTS: TypeAdapter[list[_PartOfText]] = TypeAdapter(list[_PartOfText], config=ConfigDict(strict=True))


def read(data: AnyData, recipe_folder: Path) -> Iterator[Document | LeftOut]:
    """Documents of one entry of a stage's data, in file order; an answer or a text may be blank.

    Raises UsageError (no file), CorruptError naming file and line (damaged, a field missing or of the wrong type), or
    the file and both hashes where it is not the one that the recipe means.
    """
    wanted = data.sha256 if isinstance(data, TextData) else (data.sha256,)
    for path, sha256 in zip(files(data, recipe_folder), wanted or (), strict=bool(wanted)):
        if sha256:
            require_sha256(path, sha256)
    match data:
        case PubMedQAData():
            return _pubmedqa(recipe_folder / data.file)
        case RctAbstractsData():
            return trials(recipe_folder / data.file)
        case MultipleChoiceData():
            return map(_multiple_choice, json_lines(recipe_folder / data.file))
        case QuestionAnswerData():
            return (_question_answer(data, record) for record in json_lines(recipe_folder / data.file))
        case TextData():
            return _text(data, recipe_folder)


def files(data: AnyData, recipe_folder: Path) -> tuple[Path, ...]:
    """The files that an entry reads."""
    return tuple(recipe_folder / file for file in (data.files if isinstance(data, TextData) else (data.file,)))


def texts(stage: Stage, recipe_folder: Path) -> tuple[str, ...]:
    """All text of a stage, prompts and answers: what a tokenizer of its own is trained on.

    All of it at once: an error inside the trainer of the tokenizer would lose its words. Raises as `read` does, and
    UsageError where there is no text.
    """
    documents = (document for data in stage.data for document in read(data, recipe_folder))
    found = tuple(text for entry in documents if not isinstance(entry, LeftOut) for text in entry.texts if text)
    if not found:
        names = ", ".join(str(path) for data in stage.data for path in files(data, recipe_folder))
        raise UsageError("there is no text in the stage's data", where=f"stage {stage.name}: {names}")
    return found


def _pubmedqa(path: Path) -> Iterator[Exchange]:
    content = read_bounded(path)
    dataset = parse(content, str(path))
    explanations = json.loads(content)
    asking = task("pubmedqa")
    for item in _training_half(dataset):
        question, where = item.question, f"{path}, record {item.question.id!r}"
        answer = asking.target(question, item.gold, explanations[question.id]["LONG_ANSWER"])
        messages = _messages(asking, question, where)
        yield Exchange(f"{path.name}:{question.id}", path, where, question.question, messages, answer, label=item.gold)


def _training_half(dataset: Dataset) -> tuple[Item, ...]:
    """Of the whole data set without its official test items; all of another file, whose test items are leaks."""
    test = frozenset(official_test_ids())
    training = tuple(item for item in dataset.items if item.question.id not in test)
    whole = len(dataset.items) - len(training) == len(test)
    return training if whole and training else dataset.items


def _multiple_choice(record: Record) -> Exchange:
    try:
        item = _MultipleChoice.model_validate(record.fields)
    except ValidationError as error:
        fix = "a record has question, options (letter to text) and answer_idx (a letter)"
        raise CorruptError(first_problem(error), where=record.where, fix=fix) from error
    asking = task("multiple_choice")
    question = Question(record.where, item.question, options=item.options)
    messages = _messages(asking, question, record.where)
    if item.answer_idx not in item.options:
        raise CorruptError(f"answer_idx: {item.answer_idx[:20]!r} is no option", where=record.where)
    answer = asking.target(question, item.answer_idx)
    options = tuple(item.options.values())
    where, label = record.where, item.answer_idx
    return Exchange(_id(record), record.file, where, item.question, messages, answer, options, label=label)


def _question_answer(data: QuestionAnswerData, record: Record) -> Exchange | LeftOut:
    asking = task("ask")
    question = Question(record.where, record.text(data.question))
    answer = asking.target(question, "", record.text(data.answer))
    if reason := _unwanted(data, answer):
        return LeftOut(record.file, record.where, reason)
    thought = record.text(data.thought) if data.thought else ""
    messages = _messages(asking, question, record.where)
    complete = with_thought(thought, answer) if thought and answer else answer
    group = "\n".join(record.text(field) for field in data.group) or None
    return Exchange(_id(record), record.file, record.where, question.question, messages, complete, group=group)


def _unwanted(data: QuestionAnswerData, answer: str) -> str | None:
    """Which of the recipe's rules leaves the answer out."""
    words = len(answer.split())
    if data.fewest_words and words < data.fewest_words:
        return f"answer of fewer than {data.fewest_words} words"
    if data.most_words and words > data.most_words:
        return f"answer of more than {data.most_words} words"
    found = next((text for text in data.boilerplate if text in answer), None)
    return None if found is None else f"boilerplate: {found}"


def _text(data: TextData, recipe_folder: Path) -> Iterator[Passage]:
    for path in files(data, recipe_folder):
        if path.name.endswith(_JSON_LINES):
            for record in json_lines(path):
                yield Passage(_id(record), record.file, record.where, _whole(record, data.field))
        else:
            yield Passage(path.name, path, str(path), whole_text(path).strip())


def _whole(record: Record, field: str) -> str:
    """A field's text, or that of its parts: one with a title is a section, the others follow each other."""
    if not isinstance(record.fields.get(field), list):
        return record.text(field)
    try:
        parts = _PARTS.validate_python(record.fields[field])
    except ValidationError as error:
        raise CorruptError(f"{field}: {first_problem(error)}", where=record.where, fix="mend the record") from error
    return "".join(f"\n\n{part.title}\n{part.text}" if part.title else f" {part.text}" for part in parts).strip()


def _messages(asking: Task, question: Question, where: str) -> tuple[Message, ...]:
    try:
        return asking.messages(question)
    except UsageError as error:
        raise CorruptError(error.what, where=where, fix="mend or remove the record") from error


def _id(record: Record) -> str:
    return f"{record.file.name}:{record.number}"
