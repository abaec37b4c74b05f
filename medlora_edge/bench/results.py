"""From the journal to `results.json`: every number, without a model."""

from collections.abc import Mapping, Sequence
from math import ceil
from statistics import median

from medlora_edge.bench.kinds import Flag
from medlora_edge.bench.metrics import measure
from medlora_edge.bench.schema import Card, Results, RunTimings, Sample
from medlora_edge.errors import UsageError
from medlora_edge.tasks import READER_VERSION, Question, Task, task


def compute(card: Card, samples: Mapping[str, Sample]) -> Results:
    """All numbers of a run; its responses are read with the readers of this version.

    An unfinished run is measured over what is done. Raises UsageError when that is nothing.
    """
    if not samples:
        raise UsageError("nothing is answered yet in this run", fix="give the command of the run again")
    read = reread(card, samples)
    return Results(
        finished=len(read) >= card.data.n_items,
        reader_version=READER_VERSION,
        metrics=measure(read),
        timings=timings(read, card.peak_memory_bytes),
        too_long=_flagged(read, Flag.TOO_LONG),
        engine_failed=_flagged(read, Flag.ENGINE_FAILED),
        card=card,
    )


def reread(card: Card, samples: Mapping[str, Sample]) -> list[Sample]:
    """Samples in the order of their ids, labels read afresh from the responses; scores keep theirs."""
    readers = task(card.task)
    return [_reread(sample, readers) for _, sample in sorted(samples.items())]


def timings(samples: Sequence[Sample], peak_memory_bytes: int) -> RunTimings:
    """Cost of a run. Rates divide all tokens by the seconds that their own requests spent on them.

    Seconds of a question are those after its wait in the queue; side by side they overlap.
    """
    answered = [sample for sample in samples if sample.error is None]
    each = [sample.timings for sample in answered]
    computed = sum(cost.prompt_tokens - cost.cached_tokens for cost in each)
    generated = sum(cost.generated_tokens for cost in each)
    decoded = sum(max(0, cost.generated_tokens - 1) for cost in each)  # the first token comes out of the prefill
    wall = sum(sample.elapsed_seconds for sample in samples)
    seconds = sorted(cost.prefill_seconds + cost.decode_seconds for cost in each)
    return RunTimings(
        prompt_tokens=sum(cost.prompt_tokens for cost in each),
        cached_tokens=sum(cost.cached_tokens for cost in each),
        generated_tokens=generated,
        prefill_tokens_per_second=_rate(computed, sum(cost.prefill_seconds for cost in each)),
        decode_tokens_per_second=_rate(decoded, sum(cost.decode_seconds for cost in each)),
        generated_tokens_per_wall_second=_rate(generated, wall),
        seconds_median=median(seconds) if seconds else None,
        seconds_p95=seconds[ceil(0.95 * len(seconds)) - 1] if seconds else None,
        wall_seconds=wall,
        peak_memory_bytes=peak_memory_bytes,
    )


def _reread(sample: Sample, readers: Task) -> Sample:
    if sample.response is None:
        return sample
    question = Question(sample.id, "")
    labels = {
        "strict_label": readers.read_strict(sample.response, question),
        "lenient_label": readers.read_lenient(sample.response, question),
    }
    return sample.model_copy(update=labels)


def _flagged(samples: Sequence[Sample], flag: Flag) -> tuple[str, ...]:
    return tuple(sample.id for sample in samples if flag in sample.flags)


def _rate(tokens: int, seconds: float) -> float | None:
    return tokens / seconds if tokens and seconds > 0 else None
