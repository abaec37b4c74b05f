"""A model in words, the same on the command line and in the app."""

from medlora_edge.models.catalogue import Model
from medlora_edge.models.memory_plan import MemoryPlan
from medlora_edge.models.survey import FileState, file_state
from medlora_edge.models.units import size_text

WORTH_A_MARK = (FileState.CHANGED, FileState.MISSING)


def marks(model: Model) -> tuple[str, ...]:
    """What a user must know before choosing it."""
    state = file_state(model)
    flags = {
        "came with the program": model.shipped,
        "untrained": model.untrained,
        "demonstration": model.manifest.demonstration,
        f"file is {state}": state in WORTH_A_MARK,
    }
    return tuple(text for text, holds in flags.items() if holds)


def memory_parts(planned: MemoryPlan) -> dict[str, str]:
    """What takes memory, and how much."""
    parts = {
        "weights": planned.weights,
        "KV cache": planned.kv,
        "compute buffers": planned.compute,
        "program and reserve": planned.overhead,
    }
    return {name: size_text(size) for name, size in parts.items()}


def memory_verdict(planned: MemoryPlan) -> str:
    """Whether it fits, and what would."""
    if planned.fits:
        return f"It fits; so do contexts of up to {planned.largest_context:,} tokens."
    if planned.largest_context:
        return f"It does not fit; a context of up to {planned.largest_context:,} tokens does."
    return "It does not fit: not even the weights do."
