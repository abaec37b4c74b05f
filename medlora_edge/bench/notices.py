"""What a reader must know before believing a number."""

from collections.abc import Iterator, Sequence

from medlora_edge.bench.kinds import Flag, Origin
from medlora_edge.bench.schema import Results
from medlora_edge.notice import DEMONSTRATION

SHOWN_IDS = 10


def beforehand(origin: Origin, *, untrained: bool, demonstration: bool) -> Iterator[str]:
    """Warnings that hold whatever comes out, the gravest first."""
    if untrained:
        yield "UNTRAINED MODEL: its weights are random; the figures say nothing about any model"
    if demonstration:
        yield DEMONSTRATION
    if origin is Origin.SAMPLE:
        yield (
            "SAMPLE DATA: invented abstracts that come with the program, not PubMedQA; import the real set with "
            "`medlora-edge data import pubmedqa FILE` or give --data FILE"
        )
    if origin is Origin.OWN:
        yield "OWN DATA: not the official PubMedQA file; published figures do not apply"


def notices(results: Results) -> Iterator[str]:
    """Warnings of a run, the gravest first."""
    card, metrics = results.card, results.metrics
    model = card.model
    yield from beforehand(card.data.origin, untrained=model.untrained, demonstration=model.demonstration)
    yield from card.notes
    if not results.finished:
        yield f"UNFINISHED: {metrics.n:,} of {card.data.n_items:,} questions are answered"
    if card.data.n_items < card.data.n_split:
        yield f"SUBSET: {card.data.n_items:,} of the {card.data.n_split:,} questions of the split"
    if results.too_long:
        yield f"too long for the context, counted wrong: {listed(results.too_long)}"
    if results.engine_failed:
        yield f"the engine failed, counted wrong until the command is given again: {listed(results.engine_failed)}"
    if stopped := metrics.flags.get(Flag.STOPPED_EARLY):
        yield (
            f"{stopped:,} answers were stopped at their label: lenient figures read the cut text; "
            "--full reads whole answers"
        )
    if near := metrics.flags.get(Flag.NEAR_TIE):
        yield f"near ties: {near:,}; on another machine or width these answers may differ"


def listed(ids: Sequence[str]) -> str:
    """Ids in words: how many, and the first few."""
    rest = f" and {len(ids) - SHOWN_IDS:,} more" if len(ids) > SHOWN_IDS else ""
    return f"{len(ids):,} ({', '.join(ids[:SHOWN_IDS])}{rest})"
