"""What all measurements share: the model, the questions, the threads, a place for what is written on the way."""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cache import cache_folder
from benchmarks.companion import Companion
from medlora_edge.bench.dataset import read
from medlora_edge.bench.library import sample
from medlora_edge.bench.selection import default_split, take_limit, take_split
from medlora_edge.engine import ContextOptions, Engine, Message, Role, Sampling
from medlora_edge.engine.chat_template import chat_template, render_parts
from medlora_edge.tasks import task

MODEL = "250m"
N_BATCH = 512
GREEDY = Sampling(temperature=0)
PUBMEDQA = Path(__file__).parents[2] / "shared" / "data" / "pubmedqa" / "ori_pqal.json.gz"

Chat = tuple[Message, ...]


@dataclass(frozen=True)
class Setup:
    """One run of measurements. `rounds`: how often each side is measured; `workplace`: an empty folder."""

    model: Path
    threads: int
    rounds: int
    workplace: Path

    @property
    def data(self) -> Path | None:
        """The official PubMedQA where it lies beside the checkout, else None: the shipped sample."""
        return PUBMEDQA if PUBMEDQA.exists() else None

    def limited(self, n: int) -> list[Chat]:
        """The questions of `medlora-edge bench pubmedqa --limit n`, as chats."""
        dataset = read(self.data) if self.data else sample()
        items = take_limit(take_split(dataset, default_split(dataset)), n)
        return [task("pubmedqa").messages(item.question) for item in items]

    def chats(self, n: int) -> list[Chat]:
        """The same, `n` of them even where the data has fewer questions."""
        return list(itertools.islice(itertools.cycle(self.limited(n)), n))

    def lengths(self, chats: Sequence[Chat]) -> Sequence[int]:
        """Prompt tokens of each chat."""
        with Engine(log=self.workplace / "engine.log") as engine:
            engine.load(self.model)
            return engine.count(chats).tokens

    @contextmanager
    def engine(self, *, n_ctx: int, n_seq_max: int = 1) -> Iterator[Engine]:
        """A new engine process with the model loaded and a context open."""
        with Engine(log=self.workplace / "engine.log") as engine:
            engine.load(self.model)
            engine.open(self.options(n_ctx=n_ctx, n_seq_max=n_seq_max))
            yield engine

    def bare_loop(self, *, n_ctx: int) -> Companion:
        """A new bare loop over the same model, with a context of the same size."""
        return Companion("benchmarks.bare_loop", self.model, n_ctx, N_BATCH, self.threads)

    def options(self, *, n_ctx: int, n_seq_max: int = 1) -> ContextOptions:
        """The engine's context; what stands beside it gets the same batch size and threads."""
        return ContextOptions(n_ctx=n_ctx, n_seq_max=n_seq_max, n_batch=N_BATCH, threads=self.threads)


def model_file() -> Path:
    """The measured model: random weights, made once per version of its generator into the cache."""
    generator = hashlib.sha256()
    for module in ("random_model.py", "random_tokenizer.py"):
        generator.update(Path(__file__).with_name(module).read_bytes())
    path = cache_folder() / f"{MODEL}-{generator.hexdigest()[:12]}" / "model.gguf"
    if not path.exists():
        from benchmarks.random_model import make

        make(MODEL, path.parent)
    return path


def rendered(chat: Sequence[Message]) -> str:
    """The chat as the measured model's template (ChatML) writes it."""
    return "".join(part.text for part in render_parts(chat_template(None, bos="", eos=""), chat, None))


def shortened(chat: Chat, characters: int) -> Chat:
    """The chat with only the beginning of its last turn."""
    *earlier, last = chat
    return (*earlier, last.model_copy(update={"content": last.content[:characters]}))


def distinct(chat: Chat, number: int) -> Chat:
    """The same chat behind a first line of its own, so that no KV cache knows its beginning."""
    first, *rest = chat
    mark = "".join(chr(ord("A") + int(digit)) for digit in f"{number:03}")
    if first.role is not Role.SYSTEM:
        raise ValueError("a chat with a system turn is needed")
    return (first.model_copy(update={"content": f"{mark}.\n{first.content}"}), *rest)
