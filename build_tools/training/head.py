"""The loss where no GPU kernel computes it: the output layer over trained tokens only, a piece of the batch at a time.

TRL's head recomputes its logits for every token, trained or not, and on a processor folds them in a dozen passes over
memory; training a small model spent more than half of its time there.
"""

from collections.abc import Mapping
from typing import Any

from build_tools.data.rows import IGNORED

TOKENS = 1024  # whose logits are in memory at once


def loss(model: Any, inputs: Mapping[str, Any], trained: Any | None) -> Any:
    """Negative log-likelihood of the labels, summed and divided by `trained`, or by how many labels there are.

    `model` with or without adapters, of a layout with a plain head; `inputs` as `collate` makes them. A batch without
    trained tokens has a loss of zero, with gradients of zero.
    """
    bare = model.get_base_model() if hasattr(model, "get_base_model") else model
    blocks, output = bare.base_model, bare.get_output_embeddings()
    features = {key: value for key, value in inputs.items() if key != "labels"}
    hidden = blocks(**features, use_cache=False).last_hidden_state[:, :-1]
    labels = inputs["labels"][:, 1:]
    chosen = labels != IGNORED
    hidden, labels = hidden[chosen], labels[chosen]
    pieces = zip(hidden.split(TOKENS), labels.split(TOKENS), strict=True)
    total = sum(_recomputed(output, piece, targets) for piece, targets in pieces)
    return total / max(len(labels) if trained is None else int(trained), 1)


def _recomputed(output: Any, hidden: Any, labels: Any) -> Any:
    from torch.utils.checkpoint import checkpoint

    return checkpoint(_likelihood, output, hidden, labels, use_reentrant=False, preserve_rng_state=False)


def _likelihood(output: Any, hidden: Any, labels: Any) -> Any:
    from torch.nn.functional import cross_entropy

    return cross_entropy(output(hidden).float(), labels, reduction="sum")
