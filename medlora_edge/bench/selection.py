"""Which items of a data set a run measures: the split, then the limit."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence

from medlora_edge.bench.dataset import Dataset, Item
from medlora_edge.bench.kinds import Origin, Split
from medlora_edge.bench.library import official_test_ids
from medlora_edge.errors import UsageError


def default_split(dataset: Dataset) -> Split:
    """`test` where the data set has the official test items, else `all`."""
    return Split.TEST if dataset.origin is Origin.SAMPLE or _has_official_split(dataset) else Split.ALL


def take_split(dataset: Dataset, split: Split) -> tuple[Item, ...]:
    """Items of `split`; `test` in official order. On the sample set every split means all items.

    Raises UsageError when the data set has no such split.
    """
    if split is Split.ALL or dataset.origin is Origin.SAMPLE:
        return dataset.items
    if not _has_official_split(dataset):
        what = f"this file does not hold the 500 official test items, so it has no split {split}"
        raise UsageError(what, fix="use --split all")
    official = official_test_ids()
    by_id = {item.question.id: item for item in dataset.items}
    if split is Split.TEST:
        return tuple(by_id[id_] for id_ in official)
    test = set(official)
    return tuple(item for item in dataset.items if item.question.id not in test)


def take_limit(items: Sequence[Item], limit: int | None) -> tuple[Item, ...]:
    """A stratified subset of `limit` items in their old order: equal everywhere, and inside every larger one.

    Within a label, ids are ranked by SHA-256; item r of a label's n comes at (r + 1/2) / n.
    """
    if limit is None or limit >= len(items):
        return tuple(items)
    by_label: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for item in items:
        id_ = item.question.id
        by_label[item.gold].append((hashlib.sha256(id_.encode()).hexdigest(), id_))
    ranked = [
        ((rank + 0.5) / len(hashes), digest, id_)
        for hashes in by_label.values()
        for rank, (digest, id_) in enumerate(sorted(hashes))
    ]
    chosen = {id_ for _, _, id_ in sorted(ranked)[:limit]}
    return tuple(item for item in items if item.question.id in chosen)


def _has_official_split(dataset: Dataset) -> bool:
    return {item.question.id for item in dataset.items}.issuperset(official_test_ids())
