"""One item: the request that asks it in each mode, and the journal line that its answer becomes."""

import hashlib
from math import isfinite

from medlora_edge.bench.dataset import Item
from medlora_edge.bench.kinds import Flag, Mode
from medlora_edge.bench.schema import RunSettings, Sample
from medlora_edge.bench.sizing import Prompted
from medlora_edge.engine.client import Engine
from medlora_edge.engine.pending import Pending
from medlora_edge.engine.protocol import Done, Reason, Reuse, Sampling, Scored
from medlora_edge.tasks import NEAR_TIE_NATS, Task, probabilities

_SEEDS = 0xFFFFFFFF  # the highest 32-bit value means "random" to llama.cpp, so it is left out


def item_seed(run_seed: int, id_: str) -> int:
    """Seed of one item, from the run's seed and the id alone: order and width do not change it."""
    digest = hashlib.sha256(f"{run_seed}:{id_}".encode()).digest()
    return int.from_bytes(digest[:8]) % _SEEDS


def ask(engine: Engine, task: Task, item: Item, settings: RunSettings) -> Pending:
    """Send one item to the engine."""
    messages = task.messages(item.question)
    if settings.mode is Mode.SCORE:
        return engine.score(messages, task.candidates(item.question), reuse=Reuse.FIXED)
    constrained = settings.mode is Mode.CONSTRAINED
    return engine.generate(
        messages,
        sampling=_sampling(settings, item),
        max_tokens=settings.max_tokens,
        grammar=task.grammar(item.question) if constrained else None,
        stop_when=None if constrained else task.stop_when(item.question),
        stop_early=not settings.full,
        stream=False,
        reuse=Reuse.FIXED,
    )


def answered(task: Task, item: Item, settings: RunSettings, answer: Done | Scored) -> Sample:
    """The journal line of an answer."""
    match answer:
        case Scored():
            return _scored(item, answer)
        case Done():
            return _generated(task, item, settings, answer)


def too_long(prompt: Prompted) -> Sample:
    """The journal line of an item that the context cannot hold: kept, and counted wrong."""
    return _unanswered(prompt, Flag.TOO_LONG, f"the prompt has {prompt.tokens:,} tokens")


def engine_failed(prompt: Prompted, what: str) -> Sample:
    """The journal line of an item on which the engine failed twice: kept, and counted wrong."""
    return _unanswered(prompt, Flag.ENGINE_FAILED, what)


def _sampling(settings: RunSettings, item: Item) -> Sampling:
    sampling = settings.sampling or Sampling()
    return sampling.model_copy(update={"seed": item_seed(settings.seed, item.question.id)})


def _scored(item: Item, answer: Scored) -> Sample:
    if not all(map(isfinite, (*answer.logprobs.values(), *answer.first_logprobs.values()))):
        return Sample(id=item.question.id, prompt_sha256=answer.prompt_sha256, gold=item.gold, timings=answer.timings)
    best, second = sorted(answer.logprobs.values(), reverse=True)[:2]
    label = max(answer.logprobs, key=lambda name: answer.logprobs[name])
    return Sample(
        id=item.question.id,
        prompt_sha256=answer.prompt_sha256,
        strict_label=label,
        lenient_label=label,
        label_probs=probabilities(answer.logprobs),
        label_logprobs=answer.logprobs,
        first_token_logprobs=answer.first_logprobs,
        gold=item.gold,
        flags=(Flag.NEAR_TIE,) if best - second < NEAR_TIE_NATS else (),
        min_margin=best - second,
        timings=answer.timings,
    )


def _generated(task: Task, item: Item, settings: RunSettings, answer: Done) -> Sample:
    flags = []
    if answer.reason is Reason.STOP_WHEN:
        flags.append(Flag.STOPPED_EARLY)
    if answer.min_margin is not None and answer.min_margin < NEAR_TIE_NATS:
        flags.append(Flag.NEAR_TIE)
    return Sample(
        id=item.question.id,
        prompt_sha256=answer.prompt_sha256,
        response=answer.text,
        strict_label=task.read_strict(answer.text, item.question),
        lenient_label=task.read_lenient(answer.text, item.question),
        gold=item.gold,
        flags=tuple(flags),
        reason=answer.reason,
        min_margin=answer.min_margin,
        seed=item_seed(settings.seed, item.question.id),
        timings=answer.timings,
    )


def _unanswered(prompt: Prompted, flag: Flag, what: str) -> Sample:
    id_, gold = prompt.item.question.id, prompt.item.gold
    return Sample(id=id_, prompt_sha256=prompt.prompt_sha256, gold=gold, flags=(flag,), error=what)
