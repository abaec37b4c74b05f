"""Which questions of a source no stage trains on: by question and document, the same ones wherever it is read."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence

from build_tools.data.documents import Document, Exchange, normalised

_SPACE = 1 << 256  # of a SHA-256


def reserved(documents: Sequence[Document], share: float, seed: int) -> frozenset[str]:
    """Ids of about `share` of the documents.

    Equal questions stay together, and all questions of one `group`. Each such cluster is in or out by the SHA-256 of
    the seed and its first question in alphabetical order, so that nothing else in a stage matters.
    """
    chosen = [cluster for cluster in clusters(documents) if int(rank(cluster, seed), 16) / _SPACE < share]
    return frozenset(document.id for cluster in chosen for document in cluster)


def rank(cluster: Sequence[Document], seed: int) -> str:
    """SHA-256 of the seed and the cluster's first question, in hex."""
    first = min(normalised(document.asked) for document in cluster)
    return hashlib.sha256(f"{seed}:{first}".encode()).hexdigest()


def clusters(documents: Sequence[Document]) -> list[list[Document]]:
    """Documents joined by equal questions or equal groups, directly or over others (union-find)."""
    above: dict[str, str] = {}

    def root(key: str) -> str:
        above.setdefault(key, key)
        while above[key] != key:
            above[key] = above[above[key]]
            key = above[key]
        return key

    keys = [_keys(document) for document in documents]
    for asked, *groups in keys:
        for group in groups:
            above[root(group)] = root(asked)
    joined: dict[str, list[Document]] = defaultdict(list)
    for document, (asked, *_) in zip(documents, keys, strict=True):
        joined[root(asked)].append(document)
    return list(joined.values())


def _keys(document: Document) -> tuple[str, ...]:
    asked = f"asked {normalised(document.asked)}"
    group = document.group if isinstance(document, Exchange) else None
    return (asked,) if group is None else (asked, f"group {group}")
