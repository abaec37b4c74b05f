"""What every command that answers does first: verify the model, see that it fits into memory, load it."""

import sys
from typing import TYPE_CHECKING

from medlora_edge.privacy import clean

if TYPE_CHECKING:
    from medlora_edge.engine import Engine
    from medlora_edge.models import Adapter, Model

UNTRAINED = "UNTRAINED MODEL: its weights are random, its answers mean nothing. It shows that the program works."
DEMONSTRATION = "DEMONSTRATION MODEL: not for clinical use."


def warning(model: "Model") -> str | None:
    """What must be said wherever this model answers."""
    if model.untrained:
        return UNTRAINED
    return DEMONSTRATION if model.manifest.demonstration else None


def start(engine: "Engine", model: "Model", adapter: "Adapter | None" = None) -> None:
    """Verify, plan and load `model`, and open one conversation as the settings say. Raises MedloraError."""
    from medlora_edge import models
    from medlora_edge.engine import ContextOptions
    from medlora_edge.models.memory_available import available_memory
    from medlora_edge.settings import load_settings

    settings = load_settings().engine
    header = models.read_header(model.path)
    trained_for = header.context_length
    options = ContextOptions(
        n_ctx=min(settings.context, trained_for), threads=settings.threads, kv_type=settings.kv_type
    )
    models.verify(model)
    models.require_memory(header, options, available=available_memory() - (adapter.size_bytes if adapter else 0))
    loaded = engine.load(model.path, adapter=adapter.path if adapter else None, gpu_layers=settings.gpu_layers)
    engine.open(options)
    for note in filter(None, (warning(model), *loaded.notes)):
        print(clean(note), file=sys.stderr)
