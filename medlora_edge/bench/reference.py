"""Published figures that are printed beside ours, each with its setting and source."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict

from medlora_edge.bench.kinds import Mode, Origin, Split
from medlora_edge.bench.schema import Card


class Published(BaseModel):
    """One published row, in percent. `items`: what it was measured on; `mode`: how, where that is known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    setting: str
    items: str
    mode: Mode | Literal["any"] | None
    accuracy: float
    macro_f1: float | None
    valid_response_rate: float | None
    source: str


class _File(BaseModel):
    source: str
    pubmedqa: tuple[Published, ...]


ITEMS: dict[Split, Literal["test 500", "all 1,000", "train 500"]] = {
    Split.TEST: "test 500",
    Split.ALL: "all 1,000",
    Split.TRAIN: "train 500",
}


def published(card: Card) -> Iterator[tuple[Published, bool]]:
    """Rows for a run over official data, and whether each was measured on the same items in the same mode."""
    if card.data.origin is not Origin.OFFICIAL:
        return
    text = files("medlora_edge.bench").joinpath("reference_results.json").read_bytes()
    whole = card.data.n_items == card.data.n_split
    for row in _File.model_validate_json(text).pubmedqa:
        same_items = whole and row.items == ITEMS[card.settings.split]
        yield row, same_items and row.mode in {"any", card.settings.mode}
