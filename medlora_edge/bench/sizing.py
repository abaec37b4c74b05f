"""How long the prompts are, how many run side by side, and the context they need."""

from collections.abc import Sequence
from dataclasses import dataclass

from medlora_edge.bench.dataset import Item
from medlora_edge.bench.kinds import Mode
from medlora_edge.bench.schema import RunSettings
from medlora_edge.engine.client import Engine
from medlora_edge.engine.protocol import ContextOptions
from medlora_edge.models import GgufHeader, plan, require_memory
from medlora_edge.tasks import Task

WIDTHS = (16, 8, 4, 2, 1)
N_BATCH = 512
CONTEXT_STEP = 256


@dataclass(frozen=True)
class Prompted:
    """An item with its rendered prompt: `tokens` of it, `need` with room for the answer behind it."""

    item: Item
    tokens: int
    need: int
    prompt_sha256: str


def prompted(engine: Engine, task: Task, items: Sequence[Item], settings: RunSettings) -> list[Prompted]:
    """Render and count the prompt of every item. The model must be loaded."""
    counted = engine.count([task.messages(item.question) for item in items])
    return [
        Prompted(item, tokens, tokens + _answer_tokens(task, item, settings), digest)
        for item, tokens, digest in zip(items, counted.tokens, counted.prompt_sha256, strict=True)
    ]


def context_for(needs: Sequence[int], parallel: int) -> int:
    """Tokens of a context in which `parallel` items run side by side, each with room for the longest one."""
    longest = max(needs, default=1)
    return parallel * -(-longest // CONTEXT_STEP) * CONTEXT_STEP


def context_options(header: GgufHeader, settings: RunSettings, needs: Sequence[int], available: int) -> ContextOptions:
    """The context of a new run. `auto` takes the widest width that fits into `available` bytes of memory.

    Raises ResourceError when not even the narrowest fits.
    """
    for width in _widths(settings, len(needs)):
        options = options_for(settings, n_ctx=context_for(needs, width), width=width)
        if plan(header, options, available=available).fits:
            break
    require_memory(header, options, available=available)
    return options


def options_for(settings: RunSettings, *, n_ctx: int, width: int) -> ContextOptions:
    """A context of `n_ctx` tokens for `width` sequences, with the settings of the run."""
    threads, kv_type = settings.threads, settings.kv_type
    return ContextOptions(n_ctx=n_ctx, n_seq_max=width, n_batch=N_BATCH, threads=threads, kv_type=kv_type)


def _answer_tokens(task: Task, item: Item, settings: RunSettings) -> int:
    if settings.mode is not Mode.SCORE:
        return settings.max_tokens
    # An upper bound: a token holds at least one byte.
    return sum(len(text.encode()) + 1 for text in task.candidates(item.question).values())


def _widths(settings: RunSettings, items: int) -> Sequence[int]:
    if settings.mode is Mode.SCORE:
        return (1,)
    if settings.parallel != "auto":
        return (settings.parallel,)
    return [width for width in WIDTHS if width == 1 or width <= items]
