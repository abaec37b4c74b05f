"""From an installed model to an open conversation: verify, see that it fits into memory, load, open."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from medlora_edge.engine.client import Engine
from medlora_edge.engine.protocol import ContextOptions
from medlora_edge.errors import UsageError
from medlora_edge.models.adapter import Adapter
from medlora_edge.models.catalogue import Model, verify
from medlora_edge.models.gguf_header import GgufHeader
from medlora_edge.models.gguf_reader import read_header
from medlora_edge.models.hashing import Progress, identity_of
from medlora_edge.models.memory_available import available_memory
from medlora_edge.models.memory_plan import require_memory
from medlora_edge.notice import DEMONSTRATION, UNTRAINED
from medlora_edge.settings import EngineSettings

CHAT_BATCH = 128  # prefill tokens between two signs of progress; 512 would be 8 % faster (seen: 246 M weights, 2 cores)


class Stage(StrEnum):
    """What takes long on the way: hashing the file, reading the weights."""

    CHECKING = "checking"
    LOADING = "loading"


Watch = Callable[[Stage, float], None]  # stage and how much of it is done, 0 to 1


@dataclass(frozen=True)
class OpenedModel:
    """`n_ctx`: tokens of the conversation. `warning` must be said wherever the model answers; `notes` may be.

    `identity` is that of the model's file when it was loaded.
    """

    model: Model
    identity: str
    n_ctx: int
    warning: str | None
    notes: tuple[str, ...]


def warning(model: Model) -> str | None:
    """What must be said wherever this model answers."""
    if model.untrained:
        return UNTRAINED
    return DEMONSTRATION if model.manifest.demonstration else None


def chat_options(header: GgufHeader, settings: EngineSettings) -> ContextOptions:
    """The working memory of one conversation, no longer than the model was trained for."""
    return ContextOptions(
        n_ctx=min(settings.context, header.context_length),
        n_batch=CHAT_BATCH,
        threads=settings.threads,
        kv_type=settings.kv_type,
    )


def open_model(
    engine: Engine,
    model: Model,
    settings: EngineSettings,
    *,
    adapter: Adapter | None = None,
    on_progress: Watch | None = None,
) -> OpenedModel:
    """Verify, plan and load `model` in place of the one before, and open one conversation. Raises MedloraError."""
    watch = on_progress or (lambda *_: None)
    verify(model, lambda done, total: watch(Stage.CHECKING, done / total))
    identity = identity_of(model.path)
    header = read_header(model.path)
    options = chat_options(header, settings)
    taken = adapter.size_bytes if adapter else 0
    require_memory(header, options, available=available_memory() + _given_back(engine) - taken)
    watch(Stage.LOADING, 0.0)  # the engine process takes a second to begin
    loaded = engine.load(
        model.path,
        adapter=adapter.path if adapter else None,
        gpu_layers=settings.gpu_layers,
        on_progress=lambda fraction: watch(Stage.LOADING, fraction),
    )
    opened = engine.open(options)
    return OpenedModel(model, identity, opened.n_ctx, warning(model), loaded.notes)


def require_unchanged(opened: OpenedModel, on_progress: Progress | None = None) -> None:
    """Require that the file is still the one that was loaded; hashed again only where it looks changed.

    Raises CorruptError for another one, UsageError when it is gone: what answers could no longer be named.
    """
    with suppress(UsageError):
        if identity_of(opened.model.path) == opened.identity:
            return
    verify(opened.model, on_progress)


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
