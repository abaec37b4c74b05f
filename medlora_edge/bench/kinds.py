"""The words a run is described with."""

from enum import StrEnum


class Mode(StrEnum):
    """How an answer is had from the model."""

    SCORE = "score"
    CONSTRAINED = "constrained"
    GENERATE = "generate"


class Split(StrEnum):
    """Which items of PubMedQA: the official 500 test ones, the other 500, or all 1,000."""

    TEST = "test"
    TRAIN = "train"
    ALL = "all"


class Origin(StrEnum):
    """Where the items come from."""

    OFFICIAL = "official"
    SAMPLE = "sample"
    OWN = "own"


class Flag(StrEnum):
    """What a reader of one item should know beside its label."""

    TOO_LONG = "too_long"
    ENGINE_FAILED = "engine_failed"
    STOPPED_EARLY = "stopped_early"
    NEAR_TIE = "near_tie"
