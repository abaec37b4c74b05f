"""One stated answer, and how firmly it is stated."""

from dataclasses import dataclass
from enum import IntEnum


class Weight(IntEnum):
    """How firmly an answer is stated. A weaker kind is heard only where no firmer one is present."""

    ASIDE = 0
    WEAK = 1
    PLAIN = 2
    FINAL = 3


@dataclass(frozen=True)
class Statement:
    """Label number `place` (or `NOBODY`) stated at position `start` of the text.

    `revises`: says itself that it replaces what stood before. `tentative`: leaves room for another answer.
    `is_field`: written as "Answer: ...". `is_denial`: says that this is not the answer.
    """

    start: int
    place: int
    weight: Weight
    revises: bool = False
    tentative: bool = False
    is_field: bool = False
    is_denial: bool = False
