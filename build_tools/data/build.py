"""From a stage of the recipe to rows: read, refuse, hold out, tokenise, mask, drop or cut what is too long, pack."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from build_tools.data import leaks
from build_tools.data.documents import Document, Exchange, Passage
from build_tools.data.foreign import sha256_of
from build_tools.data.pack import pack
from build_tools.data.report import DataReport, SourceReport, quantiles, totals
from build_tools.data.rows import Row, Rows, document
from build_tools.data.sources import files, read
from build_tools.data.split import split
from build_tools.data.template import ChatTokenizer
from build_tools.recipe.schema import Stage
from medlora_edge.errors import GateError, UsageError

TOO_LONG = "longer than max_length"
NO_ANSWER = "no answer"
NO_TEXT = "no text"


@dataclass(frozen=True)
class Tokenised:
    """One document as rows of its own: none and the `reason` where it is dropped. `length` in tokens."""

    rows: tuple[Row, ...]
    length: int
    reason: str | None = None


def build(stage: Stage, base: Path, recipe_folder: Path, *, seed: int) -> tuple[Rows, DataReport]:
    """Rows to train on and to evaluate on, tokenised as the model in `base` will read them.

    Raises UsageError (missing file, nothing to hold out), CorruptError (damaged data), DataRuleError (an official test
    item), GateError (more than `limits.untrained_rows` of the documents would teach nothing).
    """
    documents = tuple(entry for data in stage.data for entry in read(data, recipe_folder))
    leaks.refuse(documents)
    parts = split(documents, stage.evaluation.share, seed)
    tokenizer = ChatTokenizer(base)
    train = tuple(tokenise(entry, tokenizer, stage.max_length) for entry in parts.train)
    held_out = tuple(tokenise(entry, tokenizer, stage.max_length) for entry in parts.held_out)
    _require_learnable(stage, (*train, *held_out))
    rows = Rows(_arranged(stage, train), tuple(_rows(held_out)))
    _require_rows(stage, rows)
    counts = _counts(train, held_out)
    sources = _sources(stage, recipe_folder, documents)
    report = DataReport(duplicates=parts.duplicates, sources=sources, **counts, **totals(rows))
    return rows, report


def tokenise(entry: Document, tokenizer: ChatTokenizer, max_length: int) -> Tokenised:
    """Tokens and labels of one document: an answer is kept whole or not at all, a text is cut into pieces."""
    match entry:
        case Exchange():
            return _exchange(entry, tokenizer, max_length)
        case Passage():
            return _passage(entry, tokenizer, max_length)


def _exchange(entry: Exchange, tokenizer: ChatTokenizer, max_length: int) -> Tokenised:
    if not entry.answer:
        return Tokenised((), 0, NO_ANSWER)
    ids, labels = tokenizer.example(entry.messages, entry.answer)
    if len(ids) > max_length:
        return Tokenised((), len(ids), TOO_LONG)
    return Tokenised((document(entry.id, ids, labels),), len(ids))


def _passage(entry: Passage, tokenizer: ChatTokenizer, max_length: int) -> Tokenised:
    """Every piece begins with BOS where the model has one, else with the last token of the piece before, unlearned."""
    vocabulary = tokenizer.vocabulary
    begin = [vocabulary.bos] if vocabulary.adds_bos and vocabulary.bos is not None else []
    end = [vocabulary.eos] if vocabulary.eos is not None else []
    ids = tokenizer.text(entry.text) + end
    if not entry.text or len(begin) + len(ids) < 2:
        return Tokenised((), 0, NO_TEXT)
    pieces = list(_pieces(ids, begin, max_length))
    names = [entry.id] if len(pieces) == 1 else [f"{entry.id}#{number}" for number in range(1, len(pieces) + 1)]
    rows = tuple(document(name, piece, piece) for name, piece in zip(names, pieces, strict=True))
    return Tokenised(rows, len(begin) + len(ids))


def _pieces(ids: list[int], begin: list[int], max_length: int) -> Iterator[list[int]]:
    """At most `max_length` tokens each; every token is learned once, but for one that nothing stands before."""
    step = max_length - 1
    taken = max_length - len(begin)
    last = len(ids) if begin else len(ids) - 1
    for start in range(0, last, step):
        yield begin + ids[start : start + taken]


def _arranged(stage: Stage, documents: Iterable[Tokenised]) -> tuple[Row, ...]:
    rows = tuple(_rows(documents))
    return pack(rows, stage.max_length) if stage.packing else rows


def _rows(documents: Iterable[Tokenised]) -> Iterator[Row]:
    return (row for entry in documents for row in entry.rows)


def _require_learnable(stage: Stage, documents: Sequence[Tokenised]) -> None:
    dropped = Counter(entry.reason for entry in documents if entry.reason)
    share, limit = dropped.total() / len(documents), stage.limits.untrained_rows
    if share <= limit:
        return
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in dropped.most_common())
    longest = max(entry.length for entry in documents)
    raise GateError(
        f"{share:.1%} of {len(documents):,} documents would teach nothing, at most {limit:.1%} may: {reasons}",
        where=f"stage {stage.name}",
        fix=f"raise max_length (now {stage.max_length:,}; the longest document has {longest:,} tokens) "
        "or limits.untrained_rows",
    )


def _require_rows(stage: Stage, rows: Rows) -> None:
    for name, content in (("train on", rows.train), ("evaluate on", rows.held_out)):
        if not content:
            fix = "raise max_length, or give more data"
            raise UsageError(f"no row is left to {name}", where=f"stage {stage.name}", fix=fix)


def _counts(train: Sequence[Tokenised], held_out: Sequence[Tokenised]) -> dict[str, Any]:
    """What the report says of documents."""
    everything = (*train, *held_out)
    refused = Counter(entry.reason for entry in everything if entry.reason)
    return {
        "documents": len(everything),
        "held_out": sum(1 for entry in held_out if entry.rows),
        "dropped": refused.total(),
        "refused": dict(refused),
        "truncated": sum(1 for entry in everything if len(entry.rows) > 1),
        "lengths": quantiles([entry.length for entry in everything if entry.length]),
    }


def _sources(stage: Stage, recipe_folder: Path, documents: Sequence[Document]) -> tuple[SourceReport, ...]:
    counts = Counter(entry.file for entry in documents)
    return tuple(
        SourceReport(file=path.name, sha256=sha256_of(path), licence=data.licence, documents=counts[path])
        for data in stage.data
        for path in files(data, recipe_folder)
    )
