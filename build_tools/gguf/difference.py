"""How far two models' next-token distributions lie apart, position by position."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from build_tools.gguf.logits import Model
from build_tools.gguf.places import Places

Values = NDArray[np.float64]  # of shape (positions,), in nats


@dataclass(frozen=True)
class Difference:
    """A model against its reference: `kl` = KL(reference || model), the loss of each on the text's own next token,
    and each one's likeliest token. `trained`: whether the next token is one that training learns.
    """

    kl: Values
    reference_loss: Values
    loss: Values
    reference_top: NDArray[np.int64]
    top: NDArray[np.int64]
    trained: NDArray[np.bool_]

    @property
    def agreement(self) -> float:
        """Share of positions with the same likeliest token."""
        return float(np.mean(self.reference_top == self.top))

    @property
    def mean_kl(self) -> float:
        """Mean over the positions."""
        return float(np.mean(self.kl))

    @property
    def high_kl(self) -> float:
        """The value that 99 % of the positions stay below."""
        return float(np.quantile(self.kl, 0.99))

    def at(self, chosen: NDArray[np.bool_]) -> "Difference":
        """The same at some of the positions."""
        return Difference(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})


def difference(reference: Model, model: Model, places: Sequence[Places]) -> Difference:
    """Compare two models with the same vocabulary, holding one position's logits of each at a time."""
    rows = list(_compare(reference, model, places))
    kl, reference_loss, loss, reference_top, top = (np.array(column) for column in zip(*rows, strict=True))
    trained = np.array([flag for row in places for flag in row.trained])
    return Difference(kl, reference_loss, loss, reference_top, top, trained)


def losses(model: Model, places: Sequence[Places]) -> Values:
    """Loss on the text's own next token at each position."""
    from medlora_edge.engine.sampling import log_softmax

    return np.array(
        [
            -log_softmax(logits)[target]
            for row in places
            for logits, target in zip(model.logits(row.ids, row.positions), row.targets, strict=True)
        ]
    )


def _compare(
    reference: Model, model: Model, places: Sequence[Places]
) -> Iterator[tuple[float, float, float, int, int]]:
    from medlora_edge.engine.sampling import log_softmax

    for row in places:
        both = zip(
            reference.logits(row.ids, row.positions), model.logits(row.ids, row.positions), row.targets, strict=True
        )
        for reference_logits, logits, target in both:
            p, q = log_softmax(reference_logits), log_softmax(logits)
            yield float(np.exp(p) @ (p - q)), -float(p[target]), -float(q[target]), int(p.argmax()), int(q.argmax())
