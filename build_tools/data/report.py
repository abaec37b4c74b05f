"""What became of the data: how much there was, what is learned, what was cut or left out and why."""

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from build_tools.data.rows import Row, Rows

_QUANTILES = {"shortest": 0.0, "median": 0.5, "90 %": 0.9, "99 %": 0.99, "longest": 1.0}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceReport(_Part):
    """One file that was read; `documents` is what it gave, by `labels` where questions have fixed answers.

    `tokens`: what training sees of it, repeats included.
    """

    file: str
    sha256: str
    licence: str
    documents: int
    tokens: int = 0
    labels: Mapping[str, int] = {}


class Decontamination(_Part):
    """Test sets with the SHA-256 of their files, how many runs of words they have, and `documents` left out for one.

    `common` runs were passed over as common phrases.
    """

    sets: Mapping[str, str]
    runs: int
    common: int
    documents: int


class DataReport(_Part):
    """Totals of a stage's data. `documents` = learned from + `held_out` + `dropped`.

    `rows`, `tokens` and `trained_tokens` are those of training; `truncated` documents were cut into several pieces, all
    of which are kept; `dropped` ones are gone, by reason in `refused`. `duplicates` repeat an earlier question or text.
    `lengths`: quantiles of a document's tokens before packing, dropped ones included. `left_out` records were never
    documents of the stage: a rule of the recipe, or an overlap with a test set. `decontamination`: None where nobody
    looked for one.
    """

    documents: int
    left_out: Mapping[str, int] = {}
    decontamination: Decontamination | None = None
    duplicates: int
    held_out: int
    dropped: int
    refused: Mapping[str, int]
    truncated: int
    rows: int
    tokens: int
    trained_tokens: int
    held_out_tokens: int
    held_out_trained_tokens: int
    lengths: Mapping[str, int]
    sources: tuple[SourceReport, ...]

    @property
    def trained_share(self) -> float:
        """Learned tokens of all tokens in training."""
        return self.trained_tokens / self.tokens if self.tokens else 0.0

    @property
    def dropped_share(self) -> float:
        """Dropped documents of all documents."""
        return self.dropped / self.documents if self.documents else 0.0


def quantiles(lengths: Sequence[int]) -> dict[str, int]:
    """Lengths in tokens by name; each is a length that occurs. Empty for no lengths."""
    if not lengths:
        return {}
    return {name: int(np.quantile(lengths, share, method="higher")) for name, share in _QUANTILES.items()}


def totals(rows: Rows) -> dict[str, int]:
    """What the report says of rows and tokens."""
    return {
        "rows": len(rows.train),
        "tokens": _tokens(rows.train),
        "trained_tokens": _trained(rows.train),
        "held_out_tokens": _tokens(rows.held_out),
        "held_out_trained_tokens": _trained(rows.held_out),
    }


def _tokens(rows: Sequence[Row]) -> int:
    return sum(len(row.input_ids) for row in rows)


def _trained(rows: Sequence[Row]) -> int:
    return sum(row.trained for row in rows)
