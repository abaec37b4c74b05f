"""The three kinds of work on one prompt: generate an answer, score candidates, prefill ahead of time.

The decoder feeds a job its prompt in chunks and tells it when logits are there; a job answers with events.
"""

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

from medlora_edge.engine.cache import Slot
from medlora_edge.engine.native import Context
from medlora_edge.engine.prompts import Prompt
from medlora_edge.engine.protocol import (
    Cause,
    Done,
    Event,
    Failed,
    Generate,
    Prefilled,
    Prefilling,
    Reason,
    Reuse,
    Timings,
    Token,
)
from medlora_edge.engine.sampling import Choice, Sampler
from medlora_edge.engine.tokens import TextStream, Tokenizer

Emit = Callable[[Event], None]


class Job(ABC):
    """One request under way. `position`: prompt tokens that are in its slot."""

    reuse: Reuse

    def __init__(self, request: int, prompt: Prompt, emit: Emit) -> None:
        self.id = request
        self.prompt = prompt
        self.emit = emit
        self.slot: Slot | None = None
        self.cached = 0
        self.prefill_seconds = 0.0
        self.decode_seconds = 0.0
        self.generated = 0
        self.ended = False
        self._began = time.perf_counter()
        self._fed = False  # the whole prompt is in the cache

    @property
    def tokens(self) -> list[int]:
        """What is fed before the job can speak."""
        return self.prompt.tokens

    @property
    def need(self) -> int:
        """Cells without which the job is pointless: the prompt and the least that comes behind it."""
        return len(self.tokens)

    @property
    def feeding(self) -> bool:
        """Whether part of the prompt is still to be computed."""
        return self.slot is not None and not self._fed

    @property
    def first_output(self) -> int:
        """First position whose logits the job wants; it wants all from there on."""
        return len(self.tokens) - 1

    @property
    def border(self) -> int:
        """Where a chunk must end, shared prefix or not, so that both ways give the same numbers; 0 for nowhere."""
        return 0 if self.reuse is Reuse.LONGEST else min(self.prompt.fixed, self.first_output)

    @property
    def prefix(self) -> list[int]:
        """What to share with other prompts of the same task."""
        return self.tokens[: self.border] if self.reuse is Reuse.FIXED else []

    @property
    def known(self) -> int:
        """How many tokens the job may take over from an idle slot."""
        return self.first_output if self.reuse is Reuse.LONGEST else 0

    def outputs(self, start: int, end: int) -> range:
        """Positions in [start, end) whose logits the job wants."""
        return range(max(start, self.first_output), min(end, len(self.tokens)))

    def chunk_computed(self, context: Context, start: int, end: int) -> None:
        """Positions [start, end) are in the cache; row 0 of the logits is position `start`."""
        if end < len(self.tokens):
            self.emit(Prefilling(id=self.id, done=end, total=len(self.tokens)))
            return
        self._fed = True
        self.prompt_computed(context, len(self.tokens) - 1 - start)

    @abstractmethod
    def prompt_computed(self, context: Context, row: int) -> None:
        """The whole prompt is in the cache; `row` holds the logits behind its last token."""

    def cancelled(self) -> None:
        """The user no longer wants it."""
        self.end(Failed(id=self.id, cause=Cause.CANCELLED, what="stopped"))

    def end(self, event: Event) -> None:
        """Say the last word."""
        self.ended = True
        self.emit(event)

    def timings(self) -> Timings:
        """What the job has cost so far."""
        return Timings(
            prompt_tokens=len(self.tokens),
            cached_tokens=self.cached,
            generated_tokens=self.generated,
            prefill_seconds=self.prefill_seconds,
            decode_seconds=self.decode_seconds,
            total_seconds=time.perf_counter() - self._began,
        )

    def close(self) -> None:
        """Free what the job holds outside Python."""
        return


class GenerateJob(Job):
    """An answer under way; `pending` is the chosen token that is not in the cache yet."""

    def __init__(
        self,
        request: Generate,
        prompt: Prompt,
        sampler: Sampler,
        tokenizer: Tokenizer,
        *,
        limit: int,
        emit: Emit,
    ) -> None:
        super().__init__(request.id, prompt, emit)
        self.reuse = request.reuse
        self.pending = -1
        self._max_tokens = min(request.max_tokens, limit - len(prompt.tokens))
        self._stream = request.stream
        self._stop_when = re.compile(request.stop_when) if request.stop_when else None
        self._stop_early = request.stop_early
        self._decided = False
        self._sampler = sampler
        self._tokenizer = tokenizer
        self._text = TextStream(tokenizer)
        self._min_margin: float | None = None

    @property
    def need(self) -> int:
        """The prompt and one token of the answer."""
        return len(self.tokens) + 1

    @property
    def speaking(self) -> bool:
        """Whether the next decode step is to carry this job's last token."""
        return self._fed and not self.ended

    def prompt_computed(self, context: Context, row: int) -> None:
        """Choose the first token."""
        self.choose(context, row)

    def choose(self, context: Context, row: int) -> None:
        """Choose the next token from logits `row`, say it, and end where the answer ends."""
        began = time.perf_counter()
        choice = self._sampler.sample(context, row)
        self._note_margin(choice)
        if self.generated:  # the first token comes out of the prefill
            self.decode_seconds += time.perf_counter() - began
        self.generated += 1
        ends_turn = self._tokenizer.ends_turn(choice.token)
        new = "" if ends_turn else self._text.feed(choice.token)
        if self._stream:
            logprob = self._sampler.logprob(context.logits(row), choice.token)
            self.emit(Token(id=self.id, token=choice.token, text=new, logprob=logprob))
        self.pending = choice.token
        reason = self._reason(ends_turn=ends_turn)
        if reason:
            self._end(reason)

    def _reason(self, *, ends_turn: bool) -> Reason | None:
        if ends_turn:
            return Reason.END_OF_TURN
        if self._decides() and self._stop_early:
            return Reason.STOP_WHEN
        if self._sampler.grammar_done(self._tokenizer.end_of_turn):
            return Reason.GRAMMAR_DONE
        if self.generated >= self._max_tokens:
            return Reason.MAX_TOKENS
        return None

    def _decides(self) -> bool:
        if self._stop_when and not self._decided:
            self._decided = self._stop_when.search(self._text.text) is not None
        return self._decided

    def _note_margin(self, choice: Choice) -> None:
        if choice.margin is not None and not self._decided:
            known = choice.margin if self._min_margin is None else self._min_margin
            self._min_margin = min(choice.margin, known)

    def _end(self, reason: Reason) -> None:
        self._text.finish()
        self.end(
            Done(
                id=self.id,
                reason=reason,
                text=self._text.text,
                prompt_sha256=self.prompt.sha256,
                min_margin=self._min_margin,
                timings=self.timings(),
            )
        )

    def cancelled(self) -> None:
        """What was said so far is kept."""
        self._end(Reason.CANCELLED)

    def close(self) -> None:
        """Free the sampler."""
        self._sampler.close()


class PrefillJob(Job):
    """A prompt's beginning, computed before it is asked for."""

    reuse = Reuse.LONGEST

    def prompt_computed(self, context: Context, row: int) -> None:  # noqa: ARG002 - nothing is read from them
        """It is in the cache now."""
        self.end(Prefilled(id=self.id, tokens=len(self.tokens), timings=self.timings()))
