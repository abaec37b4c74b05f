"""What a model answers to fixed words, token for token: the same numbers on every machine of one kind of processor.

Everything that could move them is fixed here and not taken from the settings: one thread, no GPU, one sequence, nothing
reused. What remains is the arithmetic of the engine's build for the processor, so tokens are compared per build.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from medlora_edge.engine.client import Engine
from medlora_edge.engine.protocol import ContextOptions, Message, Restarted, Reuse, Role, Sampling, Token
from medlora_edge.errors import EngineError
from medlora_edge.models.catalogue import Model, verify
from medlora_edge.models.gguf_reader import read_header
from medlora_edge.models.memory_plan import MemoryPlan, plan, require_memory
from medlora_edge.models.opening import chat_options
from medlora_edge.settings import EngineSettings

OPTIONS = ContextOptions(n_ctx=512, n_batch=128, threads=1)


@dataclass(frozen=True)
class FixedWords:
    """What is asked, and how many tokens of an answer count."""

    prompts: tuple[str, ...]
    max_tokens: int


@dataclass(frozen=True)
class SelfTestAnswer:
    """The greedy answer to one prompt, the token that ends it included."""

    prompt: str
    tokens: tuple[int, ...]
    text: str


@dataclass(frozen=True)
class SelfTest:
    """Answers of one model, and the memory that a chat with it takes under the default settings."""

    answers: tuple[SelfTestAnswer, ...]
    memory: MemoryPlan


@cache
def fixed_words() -> FixedWords:
    """The words that ship."""
    told = json.loads(files("medlora_edge.models").joinpath("self_test.json").read_text(encoding="utf-8"))
    return FixedWords(tuple(told["prompts"]), told["max_tokens"])


def run_self_test(engine: Engine, model: Model) -> SelfTest:
    """Verify, load and ask `model`. Raises MedloraError, also when it does not fit into memory."""
    verify(model)
    header = read_header(model.path)
    require_memory(header, OPTIONS)
    memory = plan(header, chat_options(header, EngineSettings()))
    engine.load(model.path, gpu_layers=0)
    engine.open(OPTIONS)
    words = fixed_words()
    return SelfTest(tuple(_answer(engine, prompt, words.max_tokens) for prompt in words.prompts), memory)


def _answer(engine: Engine, prompt: str, max_tokens: int) -> SelfTestAnswer:
    messages = (Message(role=Role.USER, content=prompt),)
    greedy = Sampling(temperature=0)
    pending = engine.generate(messages, sampling=greedy, max_tokens=max_tokens, reuse=Reuse.NONE)
    said: list[Token] = []
    for event in pending.events():
        match event:
            case Token():
                said.append(event)
            case Restarted(what=what):
                raise EngineError(f"the self-test failed: {what}")
    pending.result()
    return SelfTestAnswer(prompt, tuple(event.token for event in said), "".join(event.text for event in said))
