"""How likely each candidate is as the beginning of the answer.

score(c) = sum over the tokens t_i of c of log p(t_i | prompt, t_1 .. t_(i-1)), in nats. What all candidates begin
with is computed once behind the prompt; the rest of each one in a sequence of its own, all in one batch.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medlora_edge.engine.cache import BRANCHES
from medlora_edge.engine.jobs import Emit, Job
from medlora_edge.engine.native import Context, Feed
from medlora_edge.engine.prompts import Prompt, common_length
from medlora_edge.engine.protocol import Score, Scored
from medlora_edge.engine.sampling import log_softmax

MAX_TOKENS = 48  # of all candidates together; the context has output rows for no more

ComputeBranches = Callable[["ScoreJob"], bool]


@dataclass(frozen=True)
class Branches:
    """Candidates split where they part. `shared`: tokens they all begin with; `rest`: label -> its own tokens."""

    shared: list[int]
    rest: dict[str, list[int]]


def branches(prompt: list[int], tokens: dict[str, list[int]]) -> tuple[int, Branches]:
    """Split tokenised "prompt + candidate" texts; also the number of prompt tokens that no candidate changes.

    Raises ValueError when a candidate is the beginning of another or all of them together are too long.
    """
    texts = list(tokens.values())
    whole = min(common_length(texts[0], other) for other in texts)
    kept = min(len(prompt), *(common_length(prompt, other) for other in texts))
    rest = {label: text[whole:] for label, text in tokens.items()}
    if len(tokens) > BRANCHES:
        raise ValueError(f"more than {BRANCHES} candidates")
    if not all(rest.values()):
        raise ValueError("one candidate is the beginning of another")
    if whole - kept + sum(map(len, rest.values())) > MAX_TOKENS:
        raise ValueError(f"the candidates have more than {MAX_TOKENS} tokens together")
    return kept, Branches(texts[0][kept:whole], rest)


class ScoreJob(Job):
    """One question whose candidates are scored."""

    def __init__(
        self, request: Score, prompt: Prompt, kept: int, parts: Branches, compute: ComputeBranches, *, emit: Emit
    ) -> None:
        super().__init__(request.id, prompt, emit)
        self.reuse = request.reuse
        self.parts = parts
        self._compute = compute
        self._kept = kept
        self._tokens = prompt.tokens[:kept] + parts.shared
        self._shared = 0.0
        self._logprobs: dict[str, float] = {}
        self._first: dict[str, float] = {}
        self._top = (-1, 0.0)
        self._sum = 0.0

    @property
    def tokens(self) -> list[int]:
        """The prompt and what all candidates begin with."""
        return self._tokens

    @property
    def need(self) -> int:
        """The prompt, the shared beginning and every branch."""
        return len(self._tokens) + sum(map(len, self.parts.rest.values()))

    @property
    def first_output(self) -> int:
        """From the prompt's last token on."""
        return self._kept - 1

    def chunk_computed(self, context: Context, start: int, end: int) -> None:
        """Read the shared tokens' log-probabilities before the next batch overwrites the logits."""
        for position in self.outputs(start, end):
            logprobs = log_softmax(context.logits(position - start))
            if position == self._kept - 1:
                self._note_distribution(logprobs)
            if position + 1 < len(self._tokens):
                self._shared += float(logprobs[self._tokens[position + 1]])
        super().chunk_computed(context, start, end)

    def prompt_computed(self, context: Context, row: int) -> None:
        """Score the first differing tokens, then the branches."""
        logprobs = log_softmax(context.logits(row))
        self._first = {label: float(logprobs[rest[0]]) for label, rest in self.parts.rest.items()}
        self._logprobs = {label: self._shared + first for label, first in self._first.items()}
        if self._compute(self):
            self.end(self._scored())

    def feeds(self, seqs: range) -> dict[str, Feed]:
        """What each branch still has to compute: all but its last token, every output wanted."""
        start = len(self._tokens)
        return {
            label: Feed(seq, start, rest[:-1], range(len(rest) - 1))
            for (label, rest), seq in zip(self.parts.rest.items(), seqs, strict=False)
            if len(rest) > 1
        }

    def branch_computed(self, context: Context, label: str, row: int) -> None:
        """Row `row` of the logits is the first token of this label's branch."""
        for index, token in enumerate(self.parts.rest[label][1:]):
            self._logprobs[label] += float(log_softmax(context.logits(row + index))[token])

    def _note_distribution(self, logprobs: NDArray[np.float64]) -> None:
        top = int(logprobs.argmax())
        self._top = (top, float(logprobs[top]))
        self._sum = float(np.exp(logprobs).sum())

    def _scored(self) -> Scored:
        return Scored(
            id=self.id,
            logprobs=self._logprobs,
            first_logprobs=self._first,
            top_token=self._top[0],
            top_logprob=self._top[1],
            probability_sum=self._sum,
            prompt_sha256=self.prompt.sha256,
            timings=self.timings(),
        )
