"""The engine process: reads requests from standard input, computes, writes events; dies with its parent."""

import os
import sys
import threading
import time
import traceback
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO

from pydantic import ValidationError

from medlora_edge.engine import backends, machine, trial
from medlora_edge.engine.cache import KvCache
from medlora_edge.engine.cancel import Cancellations
from medlora_edge.engine.chat_template import TemplateError
from medlora_edge.engine.decoder import Decoder
from medlora_edge.engine.native import (
    Context,
    LoadError,
    Weights,
    build_version,
    gpu_offload,
    log_to_stderr,
    register_backend,
    system_info,
)
from medlora_edge.engine.prompts import Prompter
from medlora_edge.engine.protocol import (
    MAX_LINE,
    Alive,
    Cancel,
    Cause,
    ContextOptions,
    Count,
    Counted,
    Event,
    Failed,
    Generate,
    Load,
    Loaded,
    Loading,
    Open,
    Opened,
    Prefill,
    Ready,
    Reported,
    Request,
    Reuse,
    Score,
    Stats,
    Token,
    read_request,
    to_line,
)
from medlora_edge.engine.scoring import MAX_TOKENS as MAX_SCORE_OUTPUTS
from medlora_edge.errors import ExitCode

HEARTBEAT_SECONDS = 0.5
FLUSH_SECONDS = 0.05  # tokens that come faster are handed over together
LOAD_EVENT_STEP = 0.02  # of the whole: fifty progress events a load


class Worker:
    """State of the engine process: at most one model, one context over it."""

    def __init__(self, requests: BinaryIO, events: BinaryIO, variant: str) -> None:
        self._requests = requests
        self._events = events
        self._variant = variant
        self._write_lock = threading.Lock()
        self._said = 0.0  # when a token was last handed over
        self._inbox: SimpleQueue[Request] = SimpleQueue()
        self._cancellations = Cancellations()
        self._weights: Weights | None = None
        self._prompter: Prompter | None = None
        self._context: Context | None = None
        self._decoder: Decoder | None = None
        self._loading_steps = 0
        self._busy = False

    def run(self) -> None:
        """Serve until the parent closes the pipe."""
        self._emit(
            Ready(llama_cpp=build_version(), variant=self._variant, backends=system_info(), gpu_offload=gpu_offload())
        )
        for task in (self._read, self._heartbeat):
            threading.Thread(target=task, daemon=True).start()
        while True:
            while not self._inbox.empty() or not self._working():
                self._busy = self._working()
                request = self._inbox.get()
                self._busy = True
                self._handle(request)
            assert self._decoder  # noqa: S101 - only a decoder can be at work
            self._decoder.step()

    def _working(self) -> bool:
        return self._decoder is not None and self._decoder.busy

    def _handle(self, request: Request) -> None:
        try:
            self._dispatch(request)
        except (LoadError, TemplateError) as error:
            self._emit(Failed(id=request.id, cause=Cause.MODEL, what=str(error)))
        except MemoryError:
            self._emit(Failed(id=request.id, cause=Cause.MEMORY, what="there is not enough memory"))

    def _dispatch(self, request: Request) -> None:
        match request:
            case Load():
                self._load(request)
            case Open():
                self._open(request)
            case Generate() | Score() | Prefill():
                self._submit(request)
            case Count():
                self._count(request)
            case Stats():
                self._report(request)

    def _load(self, request: Load) -> None:
        began = time.perf_counter()
        self._close_context()
        if self._weights:
            self._weights.close()
        self._weights = self._prompter = None
        layers = (-1 if gpu_offload() else 0) if request.gpu_layers == "auto" else request.gpu_layers
        weights, notes = self._read_weights(request, layers)
        on_gpu = gpu_offload() and layers != 0 and not notes
        if not weights.can_chat:
            weights.close()
            self._emit(Failed(id=request.id, cause=Cause.REQUEST, what="this model cannot answer a chat"))
            return
        self._weights = weights
        self._prompter = Prompter(weights)
        template = self._prompter.template
        if not weights.keeps_every_position:
            notes.append("this architecture cannot reuse part of a prompt: every prompt is computed whole")
        self._emit(
            Loaded(
                id=request.id,
                description=weights.description,
                n_params=weights.n_params,
                n_ctx_train=weights.n_ctx_train,
                n_vocab=weights.n_vocab,
                size_bytes=weights.size_bytes,
                template_sha256=template.sha256,
                template_source=template.origin,
                partial_reuse=weights.keeps_every_position,
                gpu=on_gpu,
                notes=tuple(notes),
                seconds=time.perf_counter() - began,
            )
        )

    def _read_weights(self, request: Load, layers: int) -> tuple[Weights, list[str]]:
        told = 0.0

        def progress(fraction: float) -> None:
            nonlocal told
            self._loading_steps += 1
            if fraction - told >= LOAD_EVENT_STEP or fraction == 1:
                told = fraction
                self._emit(Loading(id=request.id, fraction=fraction))

        adapters = (request.adapter,) if request.adapter else ()
        try:
            return Weights(request.path, gpu_layers=layers, on_progress=progress, adapters=adapters), []
        except LoadError:
            if layers == 0 or request.gpu_layers != "auto":
                raise
        weights = Weights(request.path, gpu_layers=0, on_progress=progress, adapters=adapters)
        return weights, ["the GPU refused the model: CPU is used"]

    def _open(self, request: Open) -> None:
        weights, prompter = self._loaded()
        self._close_context()
        options = request.options
        threads = machine.physical_cores() if options.threads == "auto" else options.threads
        try:
            self._context = _context(weights, options, threads)
        except LoadError as error:
            what = f"{error}: too little memory, or the model cannot have a KV cache of type {options.kv_type}"
            self._emit(Failed(id=request.id, cause=Cause.MEMORY, what=what))
            return
        self._decoder = Decoder(
            weights,
            self._context,
            prompter,
            self._cancellations,
            n_slots=options.n_seq_max,
            emit=self._emit,
        )
        self._emit(
            Opened(
                id=request.id,
                n_ctx=self._context.n_ctx_seq * options.n_seq_max,
                n_seq_max=options.n_seq_max,
                n_batch=self._context.n_batch,
                n_ubatch=self._context.n_ubatch,
                threads=threads,
            )
        )

    def _submit(self, request: Generate | Score | Prefill) -> None:
        if self._decoder is None:
            raise LoadError("no context is open")
        self._decoder.submit(request)

    def _count(self, request: Count) -> None:
        _, prompter = self._loaded()
        prompts = [prompter.prompt(chat, Reuse.LONGEST) for chat in request.chats]
        self._emit(
            Counted(
                id=request.id,
                tokens=tuple(len(prompt.tokens) for prompt in prompts),
                prompt_sha256=tuple(prompt.sha256 for prompt in prompts),
            )
        )

    def _report(self, request: Stats) -> None:
        rss, peak = machine.memory()
        decoder = self._decoder
        self._emit(
            Reported(
                id=request.id,
                rss_bytes=rss,
                peak_rss_bytes=peak,
                steps=self._steps(),
                computed_prompt_tokens=decoder.computed_prompt_tokens if decoder else 0,
                generated_tokens=decoder.generated_tokens if decoder else 0,
            )
        )

    def _loaded(self) -> tuple[Weights, Prompter]:
        if self._weights is None or self._prompter is None:
            raise LoadError("no model is loaded")
        return self._weights, self._prompter

    def _close_context(self) -> None:
        if self._decoder:
            self._decoder.close()
        if self._context:
            self._context.close()
        self._context = self._decoder = None

    def _read(self) -> None:
        while line := self._requests.readline(MAX_LINE):
            try:
                request = read_request(line)
            except ValidationError as error:
                self._emit(Failed(id=0, cause=Cause.REQUEST, what=f"unreadable request: {error.error_count()} errors"))
                continue
            if isinstance(request, Cancel):
                self._cancellations.request(request.target)
            else:
                self._inbox.put(request)
        os._exit(0)  # the parent is gone: nobody can read an answer, whatever llama.cpp is doing

    def _heartbeat(self) -> None:
        while True:
            time.sleep(HEARTBEAT_SECONDS)
            self._emit(Alive(steps=self._steps(), busy=self._busy))

    def _steps(self) -> int:
        return self._loading_steps + (self._decoder.steps if self._decoder else 0)

    def _emit(self, event: Event) -> None:
        now = time.monotonic()
        with self._write_lock:
            self._events.write(to_line(event))
            # Waking the app for every token of a fast model costs the model a few per cent of its speed.
            if isinstance(event, Token) and now - self._said < FLUSH_SECONDS:
                return
            self._events.flush()
            if isinstance(event, Token):
                self._said = now


def _context(weights: Weights, options: ContextOptions, threads: int) -> Context:
    layout = KvCache.layout(options, options.n_ctx or weights.n_ctx_train)
    return Context(
        weights,
        n_ctx=layout.n_ctx,
        n_seq=layout.n_seq,
        unified=layout.unified,
        n_batch=max(options.n_batch, options.n_seq_max),
        threads=threads,
        kv_type=options.kv_type,
        n_outputs=max(options.n_seq_max, MAX_SCORE_OUTPUTS),
    )


def main(memory: str, forced: str) -> None:
    """Take the two pipes, send everything else that writes to the log, choose the CPU code, and serve.

    `memory`: file of the CPU variant chosen before, `forced`: the one to take whatever the machine is; "" for neither.
    """
    events = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    machine.make_background()
    log_to_stderr()
    try:
        variant = backends.load(
            backends.library_folder(),
            register_backend,
            trial.decodes,
            memory=Path(memory) if memory else None,
            forced=forced or None,
        )
        Worker(sys.stdin.buffer, events, variant).run()
    except backends.NoVariantError as error:
        print(error, file=sys.stderr, flush=True)
        os._exit(ExitCode.PLATFORM)
    except backends.TrialError as error:
        print(error, file=sys.stderr, flush=True)
        os._exit(ExitCode.ENGINE)
    except BrokenPipeError:
        os._exit(0)  # the parent is gone
    except Exception:  # noqa: BLE001 - the process's border: the parent learns the code, the log has the rest
        traceback.print_exc()
        os._exit(1)  # at once: the reader thread holds standard input


if __name__ == "__main__":
    main(*sys.argv[1:])
