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
    """Hold out `share` of the different questions, at least one and not all.

    Equal questions (`normalised`) stay together, and all questions of one `group`, which then count as one. They are
    ranked by the SHA-256 of the seed and the first question, so that neither their order nor their ids matter. Raises
    UsageError with fewer than two different ones.
    """
    joined = sorted(clusters(documents), key=lambda cluster: rank(cluster, seed))
    if len(joined) < 2:
        fix = "give more text: several files, or JSON lines with one document a line"
        raise UsageError("fewer than two different documents, so nothing can be held out", fix=fix)
    count = min(ceil(share * len(joined)), len(joined) - 1)
    chosen = {id(document) for cluster in joined[:count] for document in cluster}
    return Split(
        train=tuple(document for document in documents if id(document) not in chosen),
        held_out=tuple(document for document in documents if id(document) in chosen),
        duplicates=len(documents) - len({normalised(document.asked) for document in documents}),
    )
