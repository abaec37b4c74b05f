"""`medlora-edge ask`: one question, the answer streamed as it is computed."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medlora_edge.errors import ExitCode, UsageError
from medlora_edge.privacy import clean

if TYPE_CHECKING:
    from medlora_edge.engine import Done, Pending
    from medlora_edge.models import Adapter, Model
    from medlora_edge.tasks import Question, Task

MAX_CONTEXT_BYTES = 1 << 20


def ask(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="For multiple_choice with its options in it.")],
    *,
    task_name: Annotated[str, typer.Option("--task", help="ask, pubmedqa or multiple_choice.")] = "ask",
    context: Annotated[str | None, typer.Option(help="File with the text to answer from, or - for input.")] = None,
    model_name: Annotated[str | None, typer.Option("--model", help="Name of an installed model, or a GGUF.")] = None,
    adapter_file: Annotated[
        Path | None, typer.Option("--adapter", help="LoRA adapter made for the model, a GGUF file.")
    ] = None,
    max_tokens: Annotated[int, typer.Option(min=1, help="Longest answer, in tokens.")] = 512,
    temperature: Annotated[float, typer.Option(min=0, max=10, help="0 always takes the likeliest token.")] = 0.2,
    seed: Annotated[int, typer.Option(min=0, max=(1 << 32) - 2, help="Seed of the sampling.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON record instead of the stream.")] = False,
) -> None:
    """Ask one question. Ctrl+C stops and keeps what was said."""
    from medlora_edge import models
    from medlora_edge.cli import session
    from medlora_edge.engine import Engine, Reason, Sampling
    from medlora_edge.tasks import task

    kind = task(task_name)
    asked = _question(task_name, question, _read_context(context))
    messages = kind.messages(asked)
    model = models.find(model_name)
    adapter = models.find_adapter(adapter_file, model) if adapter_file else None
    with Engine() as engine:
        session.start(engine, model, adapter)
        how = {"seed": seed, "temperature": temperature, "max_tokens": max_tokens}
        sampling = Sampling(temperature=temperature, seed=seed)
        pending = engine.generate(messages, sampling=sampling, max_tokens=max_tokens, stream=not as_json)
        done = _follow(pending)
    if as_json:
        typer.echo(json.dumps({**_record(kind, asked, model, adapter, done), **how}, ensure_ascii=False, indent=2))
    else:
        _print_end(kind, asked, done)
    if done.reason is Reason.CANCELLED:
        raise typer.Exit(ExitCode.STOPPED)


def _question(task_name: str, text: str, context: str | None) -> "Question":
    from medlora_edge.tasks import Question, split_options

    question = Question(id="ask", question=text, contexts=(context,) if context else ())
    return split_options(question) if task_name == "multiple_choice" else question


def _read_context(source: str | None) -> str | None:
    if source is None:
        return None
    if source == "-":
        raw = sys.stdin.buffer.read(MAX_CONTEXT_BYTES + 1)
    else:
        path = Path(source)
        if not path.is_file():
            raise UsageError("the context is not a file", where=source)
        with path.open("rb") as stream:
            raw = stream.read(MAX_CONTEXT_BYTES + 1)
    if len(raw) > MAX_CONTEXT_BYTES:
        raise UsageError("the context is longer than 1 MiB", where=source, fix="give the part that matters")
    try:
        return raw.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise UsageError(f"the context is not UTF-8 text (byte {error.start})", where=source) from error


def _follow(pending: "Pending") -> "Done":
    """Print the text as it comes; Ctrl+C stops the answer, a second one the program."""
    try:
        _print_events(pending)
    except KeyboardInterrupt:
        pending.cancel()
        _print_events(pending)
    done = pending.result()
    assert done.event == "done"  # noqa: S101 - the answer to generate
    return done


def _print_events(pending: "Pending") -> None:
    for event in pending.events():
        match event.event:
            case "token":
                print(clean(event.text), end="", flush=True)
            case "restarted":
                print(f"\n[{clean(event.what)}; asking once more]", file=sys.stderr)


def _record(
    kind: "Task", asked: "Question", model: "Model", adapter: "Adapter | None", done: "Done"
) -> dict[str, object]:
    return {
        "task": kind.name,
        "question": asked.question,
        "options": dict(asked.options),
        "model": {"name": model.name, "sha256": model.manifest.sha256, "untrained": model.untrained},
        "adapter": {"name": adapter.name, "sha256": adapter.sha256} if adapter else None,
        "response": done.text,
        "reason": done.reason,
        "strict_label": kind.read_strict(done.text, asked),
        "lenient_label": kind.read_lenient(done.text, asked),
        "prompt_sha256": done.prompt_sha256,
        "timings": done.timings.model_dump(),
    }


def _print_end(kind: "Task", asked: "Question", done: "Done") -> None:
    from medlora_edge.notice import NOTICE

    print()
    if kind.labels(asked):
        label = kind.read_lenient(done.text, asked)
        print(f"verdict: {label or 'none (the answer does not settle on one)'}")
    notes = {
        "cancelled": "stopped; what was said is kept.",
        "max_tokens": "the answer was cut at --max-tokens or at the end of the context.",
    }
    for note in filter(None, (notes.get(done.reason), NOTICE)):
        print(note, file=sys.stderr)
