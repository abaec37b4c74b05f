"""From an installed model to an open conversation: verify, see that it fits into memory, load, open."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from medlora_edge.engine.client import Engine
from medlora_edge.engine.protocol import ContextOptions
from medlora_edge.models.adapter import Adapter
from medlora_edge.models.catalogue import Model, verify
from medlora_edge.models.gguf_reader import read_header
from medlora_edge.models.memory_available import available_memory
from medlora_edge.models.memory_plan import require_memory
from medlora_edge.settings import EngineSettings

UNTRAINED = "UNTRAINED MODEL: its weights are random, its answers mean nothing. It shows that the program works."
DEMONSTRATION = "DEMONSTRATION MODEL: not for clinical use."
CHAT_BATCH = 128  # prefill tokens between two signs of progress; 512 would be 8 % faster (seen: 246 M weights, 2 cores)


class Stage(StrEnum):
    """What takes long on the way: hashing the file, reading the weights."""

    CHECKING = "checking"
    LOADING = "loading"


Watch = Callable[[Stage, float], None]  # stage and how much of it is done, 0 to 1


@dataclass(frozen=True)
class OpenedModel:
    """`n_ctx`: tokens of the conversation. `warning` must be said wherever the model answers; `notes` may be."""

    n_ctx: int
    warning: str | None
    notes: tuple[str, ...]


def warning(model: Model) -> str | None:
    """What must be said wherever this model answers."""
    if model.untrained:
        return UNTRAINED
    return DEMONSTRATION if model.manifest.demonstration else None


def open_model(
    engine: Engine,
    model: Model,
    settings: EngineSettings,
    *,
    adapter: Adapter | None = None,
    on_progress: Watch | None = None,
) -> OpenedModel:
    """Verify, plan and load `model` in place of the one before, and open one conversation. Raises MedloraError."""
    header = read_header(model.path)
    options = ContextOptions(
        n_ctx=min(settings.context, header.context_length),
        n_batch=CHAT_BATCH,
        threads=settings.threads,
        kv_type=settings.kv_type,
    )
    watch = on_progress or (lambda *_: None)
    verify(model, lambda done, total: watch(Stage.CHECKING, done / total))
    taken = adapter.size_bytes if adapter else 0
    require_memory(header, options, available=available_memory() + _given_back(engine) - taken)
    loaded = engine.load(
        model.path,
        adapter=adapter.path if adapter else None,
        gpu_layers=settings.gpu_layers,
        on_progress=lambda fraction: watch(Stage.LOADING, fraction),
    )
    opened = engine.open(options)
    return OpenedModel(opened.n_ctx, warning(model), loaded.notes)


def _given_back(engine: Engine) -> int:
    """Bytes that the model before gives back; its mapped file counts as available already."""
    import psutil

    if engine.pid is None:
        return 0
    try:
        memory = psutil.Process(engine.pid).memory_info()
    except psutil.NoSuchProcess:
        return 0
    return max(0, memory.rss - getattr(memory, "shared", memory.rss))
