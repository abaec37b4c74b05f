"""Which documents are held out for evaluation: by hash, and never one whose twin is trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from build_tools.data.documents import Document, normalised
from build_tools.data.reserve import clusters, rank
from medlora_edge.errors import UsageError


@dataclass(frozen=True)
class Split:
    """Documents in their old order. `duplicates`: how many repeat the question or text of an earlier one."""

    train: tuple[Document, ...]
    held_out: tuple[Document, ...]
    duplicates: int


def split(documents: Sequence[Document], share: float, seed: int) -> Split:
    """Hold out about `share` of the different questions, at least one and not all.

    Equal questions (`normalised`) stay together, and all questions of one `group`. Such clusters are ranked by the
    SHA-256 of the seed and the first question, so that neither their order nor their ids matter, and taken while they
    fit; where none fits, the smallest is taken. Raises UsageError with fewer than two clusters.
    """
    joined = sorted(clusters(documents), key=lambda cluster: rank(cluster, seed))
    questions = sum(map(_questions, joined))
    if questions < 2:
        fix = "give more text: several files, or JSON lines with one document a line"
        raise UsageError("fewer than two different documents, so nothing can be held out", fix=fix)
    if len(joined) < 2:
        what = "all questions hang together through `group` or equal questions, so nothing can be held out"
        raise UsageError(what, fix="name a finer group")
    chosen = {id(document) for cluster in _fitting(joined, ceil(share * questions)) for document in cluster}
    return Split(
        train=tuple(document for document in documents if id(document) not in chosen),
        held_out=tuple(document for document in documents if id(document) in chosen),
        duplicates=len(documents) - questions,
    )


def _fitting(joined: Sequence[Sequence[Document]], most: int) -> list[Sequence[Document]]:
    """Clusters, in order, with at most `most` questions together; the smallest if none fits, never all."""
    room = min(most, sum(map(_questions, joined)) - 1)
    taken: list[Sequence[Document]] = []
    for cluster in joined:
        if _questions(cluster) <= room:
            taken.append(cluster)
            room -= _questions(cluster)
    return taken or [min(joined, key=_questions)]


def _questions(cluster: Sequence[Document]) -> int:
    return len({normalised(document.asked) for document in cluster})
