"""Which questions of a source no stage trains on: by question and document, the same ones wherever it is read."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from build_tools.data.documents import Document, Exchange, normalised

_SPACE = 1 << 256  # of a SHA-256


def reserved(documents: Sequence[Document], share: float, seed: int) -> frozenset[str]:
    """Ids of about `share` of the documents.

    Equal questions stay together, and all questions of one `group`. Each such cluster is in or out by the SHA-256 of
    the seed and its first question in alphabetical order, so that nothing else in a stage matters.
    """
    chosen = [cluster for cluster in _clusters(documents) if _position(cluster, seed) < share]
    return frozenset(document.id for cluster in chosen for document in cluster)


def _position(cluster: Iterable[Document], seed: int) -> float:
    """Between 0 and 1."""
    first = min(normalised(document.asked) for document in cluster)
    return int(hashlib.sha256(f"{seed}:{first}".encode()).hexdigest(), 16) / _SPACE


def _clusters(documents: Sequence[Document]) -> Iterable[list[Document]]:
    """Documents joined by equal questions or equal groups, directly or over others (union-find)."""
    above: dict[str, str] = {}

    def root(key: str) -> str:
        above.setdefault(key, key)
        while above[key] != key:
            above[key] = above[above[key]]
            key = above[key]
        return key

    for document in documents:
        for key in _keys(document):
            above[root(key)] = root(_keys(document)[0])
    clusters: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        clusters[root(_keys(document)[0])].append(document)
    return clusters.values()


def _keys(document: Document) -> tuple[str, ...]:
    asked = f"asked {normalised(document.asked)}"
    group = document.group if isinstance(document, Exchange) else None
    return (asked,) if group is None else (asked, f"group {group}")
