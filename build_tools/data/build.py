"""From a stage of the recipe to rows: read, refuse, hold out, tokenise, mask, drop or cut what is too long, pack."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from build_tools.data.documents import Document, Exchange, Passage
from build_tools.data.gather import Gathered, gather
from build_tools.data.mix import mix
from build_tools.data.pack import pack
from build_tools.data.report import DataReport, Decontamination, SourceReport, quantiles, totals
from build_tools.data.rows import Row, Rows, document
from build_tools.data.sources import files
from build_tools.data.template import ChatTokenizer
from build_tools.data.test_sets import TEST_SETS
from build_tools.manifest import sha256_of_file
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
    file: Path | None = None


def build(stage: Stage, base: Path, recipe_folder: Path, *, seed: int) -> tuple[Rows, DataReport]:
    """Rows to train on and to evaluate on, tokenised as the model in `base` will read them.

    Raises UsageError (missing file, nothing to hold out), CorruptError (damaged data), DataRuleError (an official test
    item), GateError (more than `limits.untrained_rows` of the documents would teach nothing).
    """
    gathered = gather(stage, recipe_folder, seed=seed)
    tokenizer = ChatTokenizer(base)
    train, held_out = (
        [tuple(tokenise(entry, tokenizer, stage) for entry in source) for source in side]
        for side in (gathered.train, gathered.held_out)
    )
    everything = tuple(chain.from_iterable((*train, *held_out)))
    _require_learnable(stage, everything)
    mixed = mix(train, [data.share for data in stage.data], _length, seed=seed)
    rows = Rows(_arranged(stage, chain.from_iterable(mixed)), tuple(_rows(chain.from_iterable(held_out))))
    _require_rows(stage, rows)
    report = DataReport(
        duplicates=gathered.duplicates,
        left_out=gathered.left_out,
        decontamination=_decontamination(gathered),
        sources=tuple(_sources(stage, recipe_folder, gathered, mixed)),
        **_counts(everything, sum(1 for entry in chain.from_iterable(held_out) if entry.rows)),
        **totals(rows),
    )
    return rows, report


def tokenise(entry: Document, tokenizer: ChatTokenizer, stage: Stage) -> Tokenised:
    """Tokens and labels of one document: an answer is kept whole or not at all, a text is cut into pieces.

    A completion stage learns a question and its answer whole, as it learns a text.
    """
    match entry:
        case Exchange():
            return _exchange(entry, tokenizer, stage)
        case Passage():
            return _passage(entry, tokenizer, stage.max_length)


def _exchange(entry: Exchange, tokenizer: ChatTokenizer, stage: Stage) -> Tokenised:
    if not entry.answer:
        return Tokenised((), 0, NO_ANSWER, entry.file)
    ids, labels = tokenizer.example(entry.messages, entry.answer)
    if len(ids) > stage.max_length:
        return Tokenised((), len(ids), TOO_LONG, entry.file)
    learned = ids if stage.kind == "completion" else labels
    return Tokenised((document(entry.id, ids, learned),), len(ids), file=entry.file)


def _passage(entry: Passage, tokenizer: ChatTokenizer, max_length: int) -> Tokenised:
    """Every piece begins with BOS where the model has one, else with the last token of the piece before, unlearned."""
    vocabulary = tokenizer.vocabulary
    begin = [vocabulary.bos] if vocabulary.adds_bos and vocabulary.bos is not None else []
    end = [vocabulary.eos] if vocabulary.eos is not None else []
    ids = tokenizer.text(entry.text) + end
    if not entry.text or len(begin) + len(ids) < 2:
        return Tokenised((), 0, NO_TEXT, entry.file)
    pieces = list(_pieces(ids, begin, max_length))
    names = [entry.id] if len(pieces) == 1 else [f"{entry.id}#{number}" for number in range(1, len(pieces) + 1)]
    rows = tuple(document(name, piece, piece) for name, piece in zip(names, pieces, strict=True))
    return Tokenised(rows, len(begin) + len(ids), file=entry.file)


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


def _length(entry: Tokenised) -> int:
    """Tokens that training sees of it."""
    return sum(len(row.input_ids) for row in entry.rows)


def _counts(everything: Sequence[Tokenised], held_out: int) -> dict[str, Any]:
    """What the report says of documents."""
    refused = Counter(entry.reason for entry in everything if entry.reason)
    return {
        "documents": len(everything),
        "held_out": held_out,
        "dropped": refused.total(),
        "refused": dict(refused),
        "truncated": sum(1 for entry in everything if len(entry.rows) > 1),
        "lengths": quantiles([entry.length for entry in everything if entry.length]),
    }


def _sources(
    stage: Stage, recipe_folder: Path, gathered: Gathered, mixed: Sequence[Sequence[Tokenised]]
) -> Iterator[SourceReport]:
    for data, trained, *sides in zip(stage.data, mixed, gathered.train, gathered.held_out, strict=True):
        documents = tuple(chain.from_iterable(sides))
        counts = Counter(entry.file for entry in documents)
        labels = Counter(entry.label for entry in documents if isinstance(entry, Exchange) and entry.label)
        for path in files(data, recipe_folder):
            yield SourceReport(
                file=path.name,
                sha256=sha256_of_file(path),
                licence=data.licence,
                documents=counts[path],
                tokens=sum(_length(entry) for entry in trained if entry.file == path),
                labels=dict(sorted(labels.items())),
            )


def _decontamination(gathered: Gathered) -> Decontamination | None:
    met = gathered.overlap
    if met is None:
        return None
    sets = {test_set.name: test_set.sha256 for test_set in TEST_SETS}
    return Decontamination(sets=sets, runs=met.runs, common=met.common, documents=len(met.found))
