"""The scheduler: many sequences in one context, one prefill chunk and one decode step at a time.

A prompt is computed in batches of its own with boundaries every `n_batch` tokens, never mixed with other work, so
that its logits do not depend on what else runs. Only decode steps are shared: one token of every speaking sequence.
"""

import time
from collections import deque
from collections.abc import Sequence

from medlora_edge.engine.cache import KvCache, Slot
from medlora_edge.engine.cancel import Cancellations
from medlora_edge.engine.chat_template import TemplateError
from medlora_edge.engine.jobs import Emit, GenerateJob, Job, PrefillJob
from medlora_edge.engine.native import Context, DecodeError, Feed, Weights
from medlora_edge.engine.prompts import Prompt, Prompter
from medlora_edge.engine.protocol import Cause, Failed, Generate, Prefill, Reuse, Score
from medlora_edge.engine.sampling import GrammarError, Sampler
from medlora_edge.engine.scoring import ScoreJob, branches


class Decoder:
    """Jobs of one context. `step()` does one prefill chunk and one decode step, then returns to the caller."""

    def __init__(
        self,
        weights: Weights,
        context: Context,
        prompter: Prompter,
        cancellations: Cancellations,
        *,
        n_slots: int,
        emit: Emit,
    ) -> None:
        self._weights = weights
        self._context = context
        self._prompter = prompter
        self._cancellations = cancellations
        self._emit = emit
        self._cache = KvCache(context, n_slots, partial_reuse=weights.keeps_every_position)
        self._limit = min(context.n_ctx_seq, weights.n_ctx_train)
        self._waiting: deque[Job] = deque()
        self._active: list[Job] = []
        self.steps = 0
        self.computed_prompt_tokens = 0
        self.generated_tokens = 0

    @property
    def busy(self) -> bool:
        """Whether a job waits or runs."""
        return bool(self._waiting or self._active)

    def submit(self, request: Generate | Score | Prefill) -> None:
        """Queue a request; one that cannot be done is answered at once."""
        try:
            job = self._job(request)
        except (TemplateError, GrammarError, ValueError) as error:
            self._emit(Failed(id=request.id, cause=Cause.REQUEST, what=str(error)))
            return
        if problem := self._misfit(job):
            job.end(Failed(id=request.id, cause=Cause.REQUEST, what=problem))
            job.close()
            return
        self._waiting.append(job)

    def close(self) -> None:
        """The context goes away: what is under way ends."""
        for job in [*self._waiting, *self._active]:
            if not job.ended:
                job.end(Failed(id=job.id, cause=Cause.CANCELLED, what="the model or its context was changed"))
            job.close()

    def step(self) -> None:
        """Advance every job a little."""
        self._drop_cancelled()
        self._admit()
        feeding = next((job for job in self._active if job.feeding), None)
        try:
            if feeding:
                self._feed_chunk(feeding)
            # Speakers do not wait for those who still read: with a large model that would be minutes without an answer.
            self._decode_step([job for job in self._active if isinstance(job, GenerateJob) and job.speaking])
        except DecodeError as error:
            self._fail_all(str(error))
        self._retire()

    def _job(self, request: Generate | Score | Prefill) -> Job:
        match request:
            case Generate():
                prompt = self._prompter.prompt(request.messages, request.reuse, request.begun)
                sampler = Sampler(self._weights, request.sampling, request.grammar, margins=not request.stream)
                return GenerateJob(
                    request, prompt, sampler, self._prompter.tokenizer, limit=self._limit, emit=self._emit
                )
            case Score():
                if not self._cache.branch_seqs:
                    raise ValueError("candidates are scored in a context of one sequence")
                prompt = self._prompter.prompt(request.messages, request.reuse)
                tokens = {
                    label: self._prompter.with_candidate(request.messages, text)
                    for label, text in request.candidates.items()
                }
                kept, parts = branches(prompt.tokens, tokens)
                return ScoreJob(request, prompt, kept, parts, self._compute_branches, emit=self._emit)
            case Prefill():
                return PrefillJob(request.id, Prompt(self._prompter.stable(request.messages), "", 0), self._emit)

    def _misfit(self, job: Job) -> str | None:
        if not job.tokens:
            return "the prompt is empty"
        if job.need > self._limit:
            return f"the prompt of {len(job.tokens)} tokens does not fit into the context of {self._limit} tokens"
        return None

    def _drop_cancelled(self) -> None:
        for job in [*self._waiting, *self._active]:
            if self._cancellations.wanted(job.id):
                job.cancelled()
        self._waiting = deque(job for job in self._waiting if not self._closed(job))
        self._retire()

    def _admit(self) -> None:
        while self._waiting:
            job = self._waiting[0]
            slot = self._cache.take(job.tokens, prefix=job.prefix, known=job.known)
            if slot is None:
                return
            job.slot = slot
            job.cached = len(slot.tokens)
            self._active.append(self._waiting.popleft())

    def _feed_chunk(self, job: Job) -> None:
        assert job.slot is not None  # noqa: S101 - only jobs with a slot are feeding
        slot, tokens = self._next_target(job, job.slot)
        start = len(slot.tokens)
        end = start + self._context.n_batch
        chunk = tokens[start : min(end, job.border) if start < job.border else end]
        own = slot is job.slot
        outputs = [position - start for position in job.outputs(start, start + len(chunk))] if own else []
        began = time.perf_counter()
        done = self._compute([Feed(slot.seq, start, chunk, outputs)], [job], [slot])
        job.prefill_seconds += time.perf_counter() - began
        if not done:
            return
        slot.tokens += chunk
        self.computed_prompt_tokens += len(chunk)
        if own:
            job.chunk_computed(self._context, start, start + len(chunk))

    def _next_target(self, job: Job, slot: Slot) -> tuple[Slot, Sequence[int]]:
        """The slot to compute next for this job and the tokens it shall hold: the pinned prefix, then its own."""
        prefix = job.prefix
        if slot.tokens or not prefix:
            return slot, job.tokens
        if len(self._cache.pinned.tokens) < len(prefix):
            return self._cache.pinned, prefix
        self._cache.share_pinned(slot)
        job.cached = len(prefix)
        return slot, job.tokens

    def _decode_step(self, speaking: Sequence[GenerateJob]) -> None:
        if not speaking:
            return
        slots = [job.slot for job in speaking if job.slot]
        feeds = [
            Feed(slot.seq, len(slot.tokens), [job.pending], [0]) for job, slot in zip(speaking, slots, strict=True)
        ]
        began = time.perf_counter()
        if not self._compute(feeds, speaking, slots):
            return
        seconds = time.perf_counter() - began
        for row, (job, slot) in enumerate(zip(speaking, slots, strict=True)):
            slot.tokens.append(job.pending)
            job.decode_seconds += seconds
            job.choose(self._context, row)
        self.generated_tokens += len(speaking)

    def _compute_branches(self, job: ScoreJob) -> bool:
        assert job.slot is not None  # noqa: S101 - its prompt has just been computed
        feeds = job.feeds(self._cache.branch_seqs)
        if not feeds:
            return True
        for feed in feeds.values():
            self._context.copy(job.slot.seq, feed.seq)
        scratch = [Slot(feed.seq) for feed in feeds.values()]
        began = time.perf_counter()
        done = self._compute(list(feeds.values()), [job], scratch)
        job.decode_seconds += time.perf_counter() - began
        row = 0
        for label, feed in feeds.items():
            if done:
                job.branch_computed(self._context, label, row)
            row += len(feed.tokens)
            self._context.drop(feed.seq)
        return done

    def _compute(self, feeds: Sequence[Feed], jobs: Sequence[Job], slots: Sequence[Slot]) -> bool:
        """Run one batch for `jobs`; when it is aborted the slots are as before."""
        self.steps += 1
        decode_step = all(len(feed.tokens) == 1 for feed in feeds)
        with self._cancellations.computing(self._context, frozenset(job.id for job in jobs)) as go:
            done = go and self._context.decode(feeds, abortable=not decode_step)
        if not done:
            for feed, slot in zip(feeds, slots, strict=True):
                if not self._context.drop(feed.seq, feed.start):
                    self._cache.cut(slot, 0)
        return done

    def _fail_all(self, what: str) -> None:
        for job in (job for job in self._active if not job.ended):
            job.end(Failed(id=job.id, cause=Cause.ENGINE, what=what))
            if job.slot:
                self._cache.cut(job.slot, 0)

    def _retire(self) -> None:
        for job in self._active:
            if self._closed(job) and job.slot:
                self._cache.give_back(job.slot, keep=job.reuse is Reuse.LONGEST)
        self._active = [job for job in self._active if not job.ended]

    def _closed(self, job: Job) -> bool:
        if job.ended:
            self._cancellations.forget(job.id)
            job.close()
        return job.ended
