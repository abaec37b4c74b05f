"""`medlora-edge self-test`: greedy answers to fixed words, token for token."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from medlora_edge.privacy import clean

if TYPE_CHECKING:
    from medlora_edge.engine.protocol import Ready
    from medlora_edge.models import Model
    from medlora_edge.models.self_test import SelfTest

SCHEMA = 1


def self_test(
    *,
    model_name: Annotated[str | None, typer.Option("--model", help="Name of an installed model, or a GGUF.")] = None,
    variant: Annotated[str | None, typer.Option(help="CPU variant to compute with, else the best.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Let a model answer fixed words and print the tokens: equal on every machine with the same engine variant."""
    from medlora_edge import models
    from medlora_edge.engine import Engine
    from medlora_edge.models.self_test import run_self_test

    model = models.find(model_name)
    with Engine(variant=variant) as engine:
        done = run_self_test(engine, model)
        ready = engine.ready
    if as_json:
        typer.echo(json.dumps(_record(model, ready, done), ensure_ascii=False, indent=2))
    else:
        _print(model, ready, done)


def _record(model: "Model", ready: "Ready", done: "SelfTest") -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "model": {"name": model.name, "sha256": model.manifest.sha256},
        "engine": {"llama.cpp": ready.llama_cpp, "variant": ready.variant, "backends": ready.backends},
        "memory": {
            "needed_bytes": done.memory.total,
            "available_bytes": done.memory.available,
            "context_tokens": done.memory.n_ctx,
        },
        "answers": [{"prompt": answer.prompt, "tokens": answer.tokens, "text": answer.text} for answer in done.answers],
    }


def _print(model: "Model", ready: "Ready", done: "SelfTest") -> None:
    engine = f"llama.cpp {ready.llama_cpp}, variant {ready.variant}"
    typer.echo(clean(f"{model.name}, sha256 {model.manifest.sha256[:16]}..., {engine}"))
    for answer in done.answers:
        typer.echo(clean(f"asked: {answer.prompt.splitlines()[-1]}"))
        typer.echo(f"  tokens {' '.join(map(str, answer.tokens))}")
