"""What every command that answers does first: open the model and say what must be said about it."""

import sys
from typing import TYPE_CHECKING

from medlora_edge.privacy import clean

if TYPE_CHECKING:
    from medlora_edge.engine import Engine
    from medlora_edge.models import Adapter, Model


def start(engine: "Engine", model: "Model", adapter: "Adapter | None" = None) -> None:
    """Verify, plan and load `model`, and open one conversation as the settings say. Raises MedloraError."""
    from medlora_edge import models
    from medlora_edge.settings import load_settings

    opened = models.open_model(engine, model, load_settings().engine, adapter=adapter)
    for note in filter(None, (opened.warning, *opened.notes)):
        print(clean(note), file=sys.stderr)
