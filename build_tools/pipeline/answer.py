"""Asks the finished GGUF one question in the engine that clinicians use: it loads, and it answers."""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

if TYPE_CHECKING:
    from medlora_edge.engine import ContextOptions
    from medlora_edge.models import GgufHeader

QUESTION = "What is anaemia?"
LONGEST = 32  # tokens
CONTEXT = 1024


def ask(gguf: Path, log: Path) -> dict[str, JsonValue]:
    """The answer, greedily decoded, with what the engine says about it; the engine's own words go to `log`.

    Raises CorruptError (exit 3) for a file that the engine refuses, EngineError (exit 7) when it fails.
    """
    from medlora_edge import models
    from medlora_edge.engine import Done, Engine, Sampling
    from medlora_edge.tasks import Question, task

    options = context(models.inspect(gguf), CONTEXT)
    messages = task("ask").messages(Question(id="first", question=QUESTION))
    with Engine(log=log) as engine:
        engine.load(gguf)
        engine.open(options)
        pending = engine.generate(messages, sampling=Sampling(temperature=0.0), max_tokens=LONGEST, stream=False)
        done = pending.result()
    assert isinstance(done, Done)  # noqa: S101 - the answer to generate
    tokens = done.timings.generated_tokens
    return {"question": QUESTION, "response": done.text, "reason": str(done.reason), "generated_tokens": tokens}


def context(header: "GgufHeader", tokens: int) -> "ContextOptions":
    """Room for so many tokens, or for as many as the model knows positions."""
    from medlora_edge.engine import ContextOptions

    return ContextOptions(n_ctx=min(tokens, header.context_length))
