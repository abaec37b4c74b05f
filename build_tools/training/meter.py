"""Speed while training: tokens a second, time left, and the share of the card's peak that is used."""

import time
from collections import deque

WINDOW = 20  # steps
# Dense bf16 peaks in FLOP/s by a part of the card's name, from NVIDIA's data sheets.
PEAKS = {
    "H200": 989e12,
    "H100": 989e12,
    "B200": 2250e12,
    "A100": 312e12,
    "L40S": 362e12,
    "L4": 121e12,
    "A10": 125e12,
    "RTX 4090": 165e12,
    "RTX 3090": 71e12,
    "RTX A6000": 155e12,
}


class Meter:
    """Times steps; what lies between `finish` and `start` (evaluations, saving) does not count as speed."""

    def __init__(self, *, flops_per_token: float, peak: float | None) -> None:
        self._flops_per_token = flops_per_token
        self._peak = peak
        self._begun: float | None = None
        self._started = 0.0
        self._steps = 0
        self._window: deque[tuple[float, int, int]] = deque(maxlen=WINDOW)

    def start(self) -> None:
        """A step begins."""
        self._started = time.monotonic()
        if self._begun is None:
            self._begun = self._started

    def finish(self, tokens: int, trained: int) -> float:
        """A step of so many tokens ended; returns its seconds."""
        seconds = time.monotonic() - self._started
        self._steps += 1
        if self._steps == 2:
            self._window.clear()  # the first step warms up
        self._window.append((seconds, tokens, trained))
        return seconds

    @property
    def tokens_per_second(self) -> float:
        """All tokens, over the recent steps."""
        return self._rate(1)

    @property
    def trained_per_second(self) -> float:
        """Tokens with a loss, over the recent steps."""
        return self._rate(2)

    @property
    def mfu(self) -> float | None:
        """Model FLOP utilisation (PaLM, arXiv 2204.02311, appendix B), recomputing left out; None without a peak."""
        return self.tokens_per_second * self._flops_per_token / self._peak if self._peak else None

    def eta_seconds(self, remaining: int) -> float:
        """Time that so many more steps take, everything counted."""
        if self._begun is None or not self._steps:
            return float("inf")
        return (time.monotonic() - self._begun) / self._steps * remaining

    def _rate(self, column: int) -> float:
        seconds = sum(sample[0] for sample in self._window)
        return sum(sample[column] for sample in self._window) / seconds if seconds else 0.0


def peak_of(card: str) -> float | None:
    """A card's dense bf16 peak in FLOP/s; None for one that is not listed."""
    return next((peak for name, peak in PEAKS.items() if name in card), None)


def flops_per_token(trainable: int, frozen: int) -> float:
    """Forward and backward arithmetic of one token: 6 FLOP a trained weight; 4 a frozen one, which needs no gradient of
    its own. Weights that are only looked up (the input embedding) are not to be counted."""
    return 6.0 * trainable + 4.0 * frozen
