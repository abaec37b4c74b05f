"""Weights and context of llama.cpp over its C interface: only what the decoder needs, nothing cached or hidden."""

import ctypes
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as C  # noqa: N812 - the C interface, as every call below reads
import numpy as np
from numpy.typing import NDArray

from medlora_edge.engine.batch import Batch

Logits = NDArray[np.float32]
LOG_FROM = 3  # of ggml's levels: 1 debug, 2 info, 3 warning, 4 error, 5 continues the line before
KV_TYPES = {"f16": C.GGML_TYPE_F16, "q8_0": C.GGML_TYPE_Q8_0}
ABORTED = 2


class LoadError(Exception):
    """llama.cpp refused the file or the context; the sentence is for the user."""


class DecodeError(Exception):
    """llama.cpp could not compute a batch."""


class Weights:
    """A loaded GGUF and its vocabulary, with LoRA adapters that every context over it applies at scale 1.

    Raises LoadError when llama.cpp refuses a file.
    """

    def __init__(
        self,
        path: str,
        *,
        gpu_layers: int,
        on_progress: Callable[[float], None],
        adapters: Sequence[str] = (),
    ) -> None:
        def progress(fraction: float, _: object) -> bool:
            on_progress(fraction)
            return True

        params = C.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        params.check_tensors = True
        callback = C.llama_progress_callback(progress)
        params.progress_callback = callback
        self._model: Any = C.llama_model_load_from_file(path.encode(), params)
        if not self._model:
            raise LoadError("llama.cpp cannot load this model; its reason is in the engine log")
        self.adapters = [self._load_adapter(adapter) for adapter in adapters]
        self._read_vocabulary()

    def _load_adapter(self, path: str) -> Any:
        """The C adapter; it is freed with the model."""
        adapter = C.llama_adapter_lora_init(self._model, path.encode())
        if not adapter:
            self.close()
            raise LoadError("llama.cpp cannot load this adapter; its reason is in the engine log")
        return adapter

    def _read_vocabulary(self) -> None:
        self.vocab: Any = C.llama_model_get_vocab(self._model)
        self.n_vocab: int = C.llama_vocab_n_tokens(self.vocab)
        self.bos: int = C.llama_vocab_bos(self.vocab)
        self.eos: int = C.llama_vocab_eos(self.vocab)
        self.adds_bos = bool(C.llama_vocab_get_add_bos(self.vocab)) and self.bos >= 0

    @property
    def handle(self) -> Any:
        """The C model, for the context."""
        return self._model

    @property
    def description(self) -> str:
        """Architecture, size and quantisation in llama.cpp's words."""
        buffer = ctypes.create_string_buffer(256)
        C.llama_model_desc(self._model, buffer, 256)
        return buffer.value.decode(errors="replace")

    @property
    def n_params(self) -> int:
        """Number of weights."""
        return int(C.llama_model_n_params(self._model))

    @property
    def size_bytes(self) -> int:
        """Bytes of all tensors."""
        return int(C.llama_model_size(self._model))

    @property
    def n_ctx_train(self) -> int:
        """Longest sequence the model was trained for, in tokens."""
        return int(C.llama_model_n_ctx_train(self._model))

    @property
    def can_chat(self) -> bool:
        """Whether the model continues text (an embedding model or an encoder does not)."""
        causal = C.llama_model_has_decoder(self._model) and not C.llama_model_has_encoder(self._model)
        return bool(causal and not C.llama_model_is_diffusion(self._model) and self.n_vocab > 0)

    @property
    def keeps_every_position(self) -> bool:
        """Whether part of a sequence can be dropped or copied: not with a sliding window or recurrent state."""
        model = self._model
        recurrent = C.llama_model_is_recurrent(model) or C.llama_model_is_hybrid(model)
        return not recurrent and int(C.llama_model_n_swa(model)) == 0

    def chat_template(self) -> str | None:
        """Jinja source of the chat template in the file, if it has one."""
        source = C.llama_model_chat_template(self._model, None)
        return source.decode(errors="replace") if source else None

    def close(self) -> None:
        """Free the weights and their adapters."""
        if self._model:
            C.llama_model_free(self._model)
            self._model = None


@dataclass(frozen=True)
class Feed:
    """Tokens of one sequence for one batch: they take positions `start`, `start + 1`, ..."""

    seq: int
    start: int
    tokens: Sequence[int]
    outputs: Iterable[int]  # indices into `tokens` whose next-token logits are wanted


class Context:
    """Working memory over the weights for `n_seq` sequences.

    `unified`: all of them lie in one KV cache of `n_ctx` cells and can share cells, but each token's attention walks
    over everything in it. Otherwise each has a cache of its own with `n_ctx / n_seq` cells. Raises LoadError when
    llama.cpp cannot make it.
    """

    def __init__(
        self,
        weights: Weights,
        *,
        n_ctx: int,
        n_seq: int,
        unified: bool,
        n_batch: int,
        threads: int,
        kv_type: str,
        n_outputs: int,
    ) -> None:
        params = C.llama_context_default_params()
        params.n_ctx = n_ctx
        params.n_batch = params.n_ubatch = n_batch
        params.n_seq_max = n_seq
        params.n_outputs_max = params.n_outputs_max_per_seq = n_outputs
        params.n_threads = params.n_threads_batch = threads
        params.type_k = params.type_v = KV_TYPES[kv_type]
        params.kv_unified = unified
        params.no_perf = True
        # llama.cpp asks between graph nodes whether to go on, hundreds of times a step. A Python callable would
        # cost milliseconds there; strlen over one shared byte answers natively: 0 for "", 1 for "\x01".
        self._abort_byte = ctypes.create_string_buffer(2)
        self._abort_callback = ctypes.cast(ctypes.CDLL(None).strlen, C.ggml_abort_callback)
        self._abortable = False
        self._ctx: Any = C.llama_init_from_model(weights.handle, params)
        if not self._ctx:
            raise LoadError(f"llama.cpp cannot make a context of {n_ctx} tokens; its reason is in the engine log")
        self._apply(weights.adapters)
        self._memory: Any = C.llama_get_memory(self._ctx)
        self._batch = Batch(n_batch)
        self._n_vocab = weights.n_vocab
        self.n_ctx_seq = int(C.llama_n_ctx_seq(self._ctx))
        self.n_batch = n_batch
        self.n_ubatch = int(C.llama_n_ubatch(self._ctx))
        self.threads = threads

    @property
    def handle(self) -> Any:
        """The C context, for the samplers."""
        return self._ctx

    def _apply(self, adapters: Sequence[Any]) -> None:
        handles = (C.llama_adapter_lora_p_ctypes * len(adapters))(*adapters)
        scales = (ctypes.c_float * len(adapters))(*[1.0] * len(adapters))
        C.llama_set_adapters_lora(self._ctx, handles, len(adapters), scales)

    @property
    def abort_requested(self) -> bool:
        """Set from any thread to end the running `decode` within one graph node."""
        return self._abort_byte.raw[0] != 0

    @abort_requested.setter
    def abort_requested(self, value: bool) -> None:
        self._abort_byte[0] = b"\x01" if value else b"\x00"

    def decode(self, feeds: Iterable[Feed], *, abortable: bool = True) -> bool:
        """Compute the feeds in one batch (together at most n_batch tokens); False when aborted.

        After an abort part of the batch may be in the cache: the caller removes it. Asking for an abort costs a decode
        step 1.7 % of its speed, and the step is over before it matters: then `abortable` is False. Raises DecodeError.
        """
        self._listen(abortable)
        batch = self._batch
        batch.clear()
        for feed in feeds:
            batch.add(feed.seq, feed.start, feed.tokens, feed.outputs)
        code = C.llama_decode(self._ctx, batch.handle)
        if code == ABORTED:
            return False
        if code != 0:
            raise DecodeError(f"llama.cpp could not compute a batch of {batch.n_tokens} tokens (code {code})")
        return True

    def _listen(self, abortable: bool) -> None:
        if abortable == self._abortable:
            return
        callback = self._abort_callback if abortable else ctypes.cast(0, C.ggml_abort_callback)
        C.llama_set_abort_callback(self._ctx, callback, ctypes.cast(self._abort_byte, ctypes.c_void_p))
        self._abortable = abortable

    def logits(self, row: int) -> Logits:
        """Next-token logits of token `row` of the last batch, float32 of shape (n_vocab,); valid until the next."""
        pointer = C.llama_get_logits_ith(self._ctx, row)
        if not pointer:
            raise DecodeError(f"llama.cpp gave no logits for token {row} of the last batch")
        address = ctypes.addressof(pointer.contents)
        row_type = ctypes.c_float * self._n_vocab
        return np.frombuffer(memoryview(row_type.from_address(address)), dtype=np.float32)

    def drop(self, seq: int, start: int = 0) -> bool:
        """Remove positions from `start` on; False when the model cannot drop part of a sequence."""
        return bool(C.llama_memory_seq_rm(self._memory, seq, start, -1))

    def copy(self, source: int, target: int) -> None:
        """Let `target` begin with all of `source`: shared cells in a unified cache, copied ones otherwise."""
        C.llama_memory_seq_cp(self._memory, source, target, -1, -1)

    def close(self) -> None:
        """Free the context."""
        if self._ctx:
            C.llama_free(self._ctx)
            self._ctx = None


def log_to_stderr() -> None:
    """Let llama.cpp's warnings and errors, and nothing else of it, go to standard error."""
    C.llama_log_set(_LOG_CALLBACK, None)


def _log(level: int, text: bytes, _: object) -> None:
    global _log_level  # noqa: PLW0603 - a continued line has no level of its own
    _log_level = _log_level if level == 5 else level
    if _log_level >= LOG_FROM:
        print(text.decode(errors="replace"), end="", flush=True, file=sys.stderr)


_log_level = 0
_LOG_CALLBACK = C.llama_log_callback(_log)  # llama.cpp keeps only the address: this must live on


def register_backend(library: Path) -> bool:
    """Let llama.cpp compute with a backend library; False when it refuses the library, which its log explains.

    Looked up through libllama: what it links to is the one registry that counts, whatever other copies are loaded.
    """
    register = C._lib.ggml_backend_load
    register.argtypes, register.restype = [ctypes.c_char_p], ctypes.c_void_p
    return register(os.fsencode(library)) is not None


def gpu_offload() -> bool:
    """Whether the installed llama.cpp build can use a GPU of this machine."""
    return bool(C.llama_supports_gpu_offload())


def system_info() -> str:
    """CPU features and backends of the build, in llama.cpp's words."""
    return str(C.llama_print_system_info().decode(errors="replace")).strip()


def build_version() -> str:
    """Version of the binding and of the llama.cpp in it."""
    import llama_cpp

    return f"{llama_cpp.__version__} (llama.cpp {C.llama_version().decode(errors='replace')})"
