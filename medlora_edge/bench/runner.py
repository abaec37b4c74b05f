"""A run from its first item to its results; the same call resumes it."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol

from medlora_edge.bench import asking, journal, runfolder, selftest
from medlora_edge.bench.card import new_card, now
from medlora_edge.bench.drive import drive
from medlora_edge.bench.job import TASK, Job, earlier
from medlora_edge.bench.kinds import Mode
from medlora_edge.bench.results import compute
from medlora_edge.bench.schema import Card, Results, Sample
from medlora_edge.bench.sizing import CONTEXT_STEP, Prompted, context_options, options_for, prompted
from medlora_edge.engine.client import Engine
from medlora_edge.engine.protocol import ContextOptions
from medlora_edge.errors import EngineError
from medlora_edge.models import read_header, require_memory
from medlora_edge.models.memory_available import available_memory
from medlora_edge.tasks import task


class Watcher(Protocol):
    """Who is told how a run goes on."""

    def stage(self, what: str) -> None:
        """Something begins that takes a while."""

    def begin(self, done: Sequence[Sample], total: int) -> None:
        """Items are about to be asked; `done` are there already."""

    def answered(self, sample: Sample) -> None:
        """One more item is in the journal."""


def run(job: Job, folder: Path, engine: Engine, watcher: Watcher) -> Results:
    """Ask what is not answered yet and write `results.json`. What is on a journal line is never asked again.

    Raises InUseError (8), UsageError (2), ResourceError (4), GateError (5), EngineError (7); all that was
    answered is then kept.
    """
    with runfolder.hold(folder):
        card, done = earlier(job, folder)
        if card is None or len(done) < len(job.items):
            card = _measure(job, folder, engine, watcher)
        elif card.ended is None:  # killed between its last answer and this line
            card = card.model_copy(update={"ended": now()})
            runfolder.write(folder, card)
        results = compute(card, journal.read(folder / journal.NAME))
        runfolder.write(folder, results)
        return results


def _measure(job: Job, folder: Path, engine: Engine, watcher: Watcher) -> Card:
    card, done = earlier(job, folder)
    adapter = job.adapter
    available = available_memory() - (adapter.size_bytes if adapter else 0)  # before the weights take their part
    smallest = options_for(job.settings, n_ctx=CONTEXT_STEP, width=1)
    require_memory(read_header(job.model.path), smallest, available=available)
    watcher.stage("loading the model")
    loaded = engine.load(job.model.path, adapter=adapter.path if adapter else None, gpu_layers=job.settings.gpu_layers)
    for note in loaded.notes:
        watcher.stage(note)
    limit = min(job.settings.context or loaded.n_ctx_train, loaded.n_ctx_train)
    watcher.stage("counting the prompts' tokens")
    prompts = prompted(engine, task(TASK), job.items, job.settings)
    fitting = [prompt.need for prompt in prompts if prompt.need <= limit]
    opened = engine.open(_context(job, card, fitting, available))
    card = card or new_card(job, engine.ready, loaded, opened, limit)
    runfolder.write(folder, card)
    waiting = [prompt for prompt in prompts if prompt.item.question.id not in done]
    watcher.begin([*done.values()], len(job.items))
    with journal.Journal(folder / journal.NAME) as lines:

        def keep(sample: Sample) -> None:
            lines.append(sample)
            watcher.answered(sample)

        for prompt in waiting:
            if prompt.need > limit:
                keep(asking.too_long(prompt))
        _ask(job, engine, [prompt for prompt in waiting if prompt.need <= limit], opened.n_seq_max, keep)
    peak = max(card.peak_memory_bytes, engine.stats().peak_rss_bytes)
    card = card.model_copy(update={"ended": now(), "peak_memory_bytes": peak})
    runfolder.write(folder, card)
    return card


def _ask(job: Job, engine: Engine, prompts: Sequence[Prompted], width: int, keep: Callable[[Sample], None]) -> None:
    asked, settings = task(TASK), job.settings
    if settings.mode is Mode.SCORE and prompts:
        selftest.check(engine, asked, prompts[0].item)
    failed: list[Sample] = []
    requests = drive(prompts, width, lambda prompt: asking.ask(engine, asked, prompt.item, settings))
    with closing(requests) as answers:
        for prompt, answer in answers:
            if isinstance(answer, EngineError):
                failed.append(asking.engine_failed(prompt, answer.what))
                continue
            for sample in (*failed, asking.answered(asked, prompt.item, settings, answer)):
                keep(sample)
            failed.clear()
    if failed:
        engine.stats()  # raises when the engine is gone for good: these items then wait for a resume
    for sample in failed:
        keep(sample)


def _context(job: Job, card: Card | None, needs: Sequence[int], available: int) -> ContextOptions:
    header = read_header(job.model.path)
    if card is None:
        return context_options(header, job.settings, needs, available)
    kept = card.resolved
    options = options_for(job.settings, n_ctx=kept.n_ctx, width=kept.parallel)
    options = options.model_copy(update={"threads": kept.threads})
    require_memory(header, options, available=available)
    return options
