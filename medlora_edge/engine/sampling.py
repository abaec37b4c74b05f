"""Choosing the next token of one sequence: greedy, sampled, or bounded by a grammar."""

import ctypes
import math
from dataclasses import dataclass
from typing import Any

import llama_cpp.llama_cpp as C  # noqa: N812 - the C interface, as every call below reads
import numpy as np
from numpy.typing import NDArray

from medlora_edge.engine.native import Context, Logits, Weights
from medlora_edge.engine.protocol import Sampling

PENALTY_WINDOW = 64  # tokens the repeat penalty looks back, as in the pinned binding
_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


class GrammarError(Exception):
    """llama.cpp cannot read the grammar."""


@dataclass(frozen=True)
class Choice:
    """One chosen token. `margin`: gap to the runner-up in nats, for greedy choices that were asked for it."""

    token: int
    margin: float | None


class Sampler:
    """The sampler chain of one sequence, with its own seed and its own place in the grammar.

    Finding the runner-up costs one more pass over the vocabulary: only with `margins`.
    Raises GrammarError when the grammar does not parse.
    """

    def __init__(self, weights: Weights, sampling: Sampling, grammar: str | None, *, margins: bool) -> None:
        self._greedy = sampling.temperature == 0
        self._margins = margins and self._greedy
        self._penalised = sampling.repeat_penalty != 1
        self._chain = _chain(weights.n_vocab, sampling)
        self._ids = np.arange(weights.n_vocab, dtype=np.int32)
        self._candidates = np.zeros(weights.n_vocab, dtype=_CANDIDATE)
        self._scratch = np.empty(weights.n_vocab, dtype=np.float32)
        self._grammar: Any = None
        if grammar is not None:
            self._grammar = C.llama_sampler_init_grammar(weights.vocab, grammar.encode(), b"root")
            if not self._grammar:
                C.llama_sampler_free(self._chain)
                raise GrammarError("the grammar that bounds the answer does not parse")

    def sample(self, context: Context, row: int) -> Choice:
        """Choose after token `row` of the last batch, and remember the choice."""
        if self._grammar:
            return self._sample_grammar(context.logits(row))
        if not self._greedy:
            return Choice(C.llama_sampler_sample(self._chain, context.handle, row), None)
        if not self._penalised:
            logits = context.logits(row)
            return Choice(int(logits.argmax()), self._margin(logits))
        token = self._choose(self._all(context.logits(row)))
        C.llama_sampler_accept(self._chain, token)
        return Choice(token, self._margin(self._candidates["logit"]))

    def _sample_grammar(self, logits: Logits) -> Choice:
        # Testing one token against a grammar costs 1/60 of masking a vocabulary of 32k pieces, and a model that
        # knows the format is nearly always right the first time.
        allowed = logits
        token = self._choose(self._all(logits))
        if not self._allows(token):
            token = self._choose(self._masked(logits))
            if self._margins:  # choosing changes the candidates
                allowed = self._masked(logits)["logit"]
        C.llama_sampler_accept(self._chain, token)
        C.llama_sampler_accept(self._grammar, token)
        return Choice(token, self._margin(allowed))

    def _margin(self, logits: Logits) -> float | None:
        return _gap(logits) if self._margins else None

    def logprob(self, logits: Logits, token: int) -> float:
        """Log-probability of one token in nats, to about 1e-6."""
        top, scratch = logits.max(), self._scratch  # new arrays of this size would cost more than the sum itself
        np.subtract(logits, top, out=scratch)
        np.exp(scratch, out=scratch)
        return float(logits[token] - top) - math.log(scratch.sum())

    def grammar_done(self, end_of_turn: int) -> bool:
        """Whether the grammar lets the answer end here."""
        return self._grammar is not None and self._allows(end_of_turn)

    def _choose(self, candidates: np.ndarray[Any, Any]) -> int:
        view = _view(candidates)
        C.llama_sampler_apply(self._chain, ctypes.byref(view))
        return int(view.data[view.selected].id)

    def _all(self, logits: Logits) -> np.ndarray[Any, Any]:
        candidates = self._candidates
        candidates["id"] = self._ids
        candidates["logit"] = logits
        candidates["p"] = 0
        return candidates

    def _masked(self, logits: Logits) -> np.ndarray[Any, Any]:
        candidates = self._all(logits)
        C.llama_sampler_apply(self._grammar, ctypes.byref(_view(candidates)))
        return candidates

    def _allows(self, token: int) -> bool:
        one = np.array([(token, 1.0, 0.0)], dtype=_CANDIDATE)
        C.llama_sampler_apply(self._grammar, ctypes.byref(_view(one)))
        return bool(np.isfinite(one["logit"][0]))

    def close(self) -> None:
        """Free the chain and the grammar."""
        for sampler in (self._chain, self._grammar):
            if sampler:
                C.llama_sampler_free(sampler)
        self._chain = self._grammar = None


def _chain(n_vocab: int, sampling: Sampling) -> Any:
    """The pinned binding's order: penalties, top-k, top-p, min-p, temperature, draw."""
    chain = C.llama_sampler_chain_init(C.llama_sampler_chain_default_params())

    def add(sampler: Any) -> None:
        C.llama_sampler_chain_add(chain, sampler)

    if sampling.repeat_penalty != 1:
        add(C.llama_sampler_init_penalties(n_vocab, PENALTY_WINDOW, sampling.repeat_penalty, 0.0, 0.0))
    if sampling.temperature == 0:
        add(C.llama_sampler_init_greedy())
        return chain
    add(C.llama_sampler_init_top_k(sampling.top_k))
    add(C.llama_sampler_init_top_p(sampling.top_p, 1))
    add(C.llama_sampler_init_min_p(sampling.min_p, 1))
    add(C.llama_sampler_init_temp(sampling.temperature))
    add(C.llama_sampler_init_dist(sampling.seed))
    return chain


def _gap(logits: Logits) -> float:
    """From the largest to the second largest."""
    best = int(logits.argmax())
    top = logits[best]
    logits[best] = -np.inf  # put back below: cheaper than a copy of the vocabulary without it
    runner_up = logits.max()
    logits[best] = top
    return float(top - runner_up)


def _view(candidates: np.ndarray[Any, Any]) -> Any:
    data = candidates.ctypes.data_as(C.llama_token_data_p)
    return C.llama_token_data_array(data=data, size=len(candidates), selected=-1, sorted=False)


def log_softmax(logits: Logits) -> NDArray[np.float64]:
    """Log-probabilities in nats, float64, same shape."""
    wide = logits.astype(np.float64)
    wide -= wide.max()
    return np.asarray(wide - np.log(np.exp(wide).sum()))
