"""Which documents are held out for evaluation: by hash, and never one whose twin is trained on."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from build_tools.data.documents import Document, normalised
from medlora_edge.errors import UsageError


@dataclass(frozen=True)
class Split:
    """Documents in their old order. `duplicates`: how many repeat the question or text of an earlier one."""

    train: tuple[Document, ...]
    held_out: tuple[Document, ...]
    duplicates: int


def split(documents: Sequence[Document], share: float, seed: int) -> Split:
    """Hold out `share` of the different questions, at least one and not all.

    Equal questions (`normalised`) stay together; questions are ranked by the SHA-256 of the seed and the question, so
    that neither their order nor their ids matter. Raises UsageError with fewer than two different ones.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for number, document in enumerate(documents):
        groups[_rank(document, seed)].append(number)
    if len(groups) < 2:
        fix = "give more text: several files, or JSON lines with one document a line"
        raise UsageError("fewer than two different documents, so nothing can be held out", fix=fix)
    count = min(ceil(share * len(groups)), len(groups) - 1)
    chosen = {number for rank in sorted(groups)[:count] for number in groups[rank]}
    return Split(
        train=tuple(document for number, document in enumerate(documents) if number not in chosen),
        held_out=tuple(document for number, document in enumerate(documents) if number in chosen),
        duplicates=len(documents) - len(groups),
    )


def _rank(document: Document, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{normalised(document.asked)}".encode()).hexdigest()
