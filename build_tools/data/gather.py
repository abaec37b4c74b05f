"""The documents of a stage, source by source: what is left out and why, and what is held out."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from build_tools.data import leaks
from build_tools.data.contamination import Overlap, Runs, overlap
from build_tools.data.documents import Document, LeftOut, normalised
from build_tools.data.reserve import reserved
from build_tools.data.sources import read
from build_tools.data.split import split
from build_tools.data.test_sets import texts
from build_tools.recipe.data_forms import TextData
from build_tools.recipe.schema import Stage

OVERLAP = "overlap with"


@dataclass(frozen=True)
class Gathered:
    """Documents to train on and held-out ones, by source in the recipe's order.

    `left_out`: records that never were documents of the stage, by reason. `overlap`: None where nobody looked.
    """

    train: tuple[tuple[Document, ...], ...]
    held_out: tuple[tuple[Document, ...], ...]
    left_out: Mapping[str, int]
    duplicates: int
    overlap: Overlap | None


def gather(stage: Stage, recipe_folder: Path, *, seed: int) -> Gathered:
    """Read, refuse test items, leave out, hold out. Raises as `read`, DataRuleError, UsageError."""
    entries = [tuple(read(data, recipe_folder)) for data in stage.data]
    left_out = Counter(entry.reason for source in entries for entry in source if isinstance(entry, LeftOut))
    sources = [tuple(entry for entry in source if not isinstance(entry, LeftOut)) for source in entries]
    leaks.refuse(chain.from_iterable(sources))
    asked = {id(document): normalised(document.asked) for source in sources for document in source}
    withheld = {asked[id(document)] for document in _withheld(stage, sources, seed)}
    sources, met = _clean(sources, recipe_folder / stage.test_sets if stage.test_sets else None)
    left_out.update(f"{OVERLAP} {name}" for name in (met.found.values() if met else ()))
    free = [document for document in _free(stage, sources) if asked[id(document)] not in withheld]
    chosen = split(free, stage.evaluation.share, seed).held_out if free or not withheld else ()
    held_out = withheld | {asked[id(document)] for document in chosen}
    kept = [asked[id(document)] for source in sources for document in source]
    return Gathered(
        train=tuple(tuple(one for one in source if asked[id(one)] not in held_out) for source in sources),
        held_out=tuple(tuple(one for one in source if asked[id(one)] in held_out) for source in sources),
        left_out=dict(left_out),
        duplicates=len(kept) - len(set(kept)),
        overlap=met,
    )


def _withheld(stage: Stage, sources: Sequence[Sequence[Document]], seed: int) -> Iterator[Document]:
    """Documents whose questions no stage trains on."""
    for data, source in zip(stage.data, sources, strict=True):
        if not isinstance(data, TextData) and data.held_out:
            ids = reserved(source, data.held_out, seed)
            yield from (document for document in source if document.id in ids)


def _free(stage: Stage, sources: Sequence[Sequence[Document]]) -> Iterator[Document]:
    """Documents of sources that say nothing about what is held out."""
    for data, source in zip(stage.data, sources, strict=True):
        if isinstance(data, TextData) or data.held_out is None:
            yield from source


def _clean(
    sources: Sequence[tuple[Document, ...]], test_sets: Path | None
) -> tuple[list[tuple[Document, ...]], Overlap | None]:
    """Without the documents that overlap with a test set."""
    if test_sets is None:
        return list(sources), None
    everything = [document for source in sources for document in source]
    met = overlap(everything, Runs(texts(test_sets)))
    dropped = {id(everything[number]) for number in met.found}
    return [tuple(one for one in source if id(one) not in dropped) for source in sources], met
