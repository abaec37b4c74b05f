"""The least that llama.cpp needs to answer: `llama_decode` and a greedy argmax, in a process of its own.

    python -m benchmarks.bare_loop MODEL N_CTX N_BATCH THREADS

One sequence, no template, no text, no events: what every other way of answering is measured against.
"""

import ctypes
import sys
import time
from collections.abc import Sequence
from typing import Any

import llama_cpp.llama_cpp as C  # noqa: N812 - the C interface, as every call below reads
import numpy as np

from benchmarks.companion import serve
from medlora_edge.engine.native import log_to_stderr


class BareLoop:
    """A model and a context of one sequence."""

    def __init__(self, path: str, n_ctx: int, n_batch: int, threads: int) -> None:
        self._model = C.llama_model_load_from_file(path.encode(), C.llama_model_default_params())
        params = C.llama_context_default_params()
        params.n_ctx = n_ctx
        params.n_batch = params.n_ubatch = self._n_batch = n_batch
        params.n_threads = params.n_threads_batch = threads
        params.kv_unified = True
        params.no_perf = True
        self._context = C.llama_init_from_model(self._model, params)
        self._memory = C.llama_get_memory(self._context)
        self._vocab = C.llama_model_get_vocab(self._model)
        self._n_vocab = C.llama_vocab_n_tokens(self._vocab)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Continue `text` by `n` tokens, whatever they are; seconds up to the first token and behind it."""
        prompt = self._tokenise(request["text"])
        C.llama_memory_clear(self._memory, True)
        began = time.perf_counter()
        for start in range(0, len(prompt), self._n_batch):
            self._decode(prompt[start : start + self._n_batch])
        tokens = [self._likeliest()]
        first = time.perf_counter()
        while len(tokens) < request["n"]:
            self._decode(tokens[-1:])
            tokens.append(self._likeliest())
        last = time.perf_counter()
        return {
            "prompt_tokens": len(prompt),
            "tokens": tokens,
            "prefill_seconds": first - began,
            "decode_seconds": last - first,
        }

    def _tokenise(self, text: str) -> list[int]:
        raw = text.encode()
        tokens = (C.llama_token * (len(raw) + 8))()
        n = C.llama_tokenize(self._vocab, raw, len(raw), tokens, len(tokens), True, True)
        return list(tokens[:n])

    def _decode(self, tokens: Sequence[int]) -> None:
        kept = (C.llama_token * len(tokens))(*tokens)  # the batch holds only its address
        code = C.llama_decode(self._context, C.llama_batch_get_one(kept, len(tokens)))
        if code:
            raise RuntimeError(f"llama_decode: {code}")

    def _likeliest(self) -> int:
        pointer = C.llama_get_logits_ith(self._context, -1)
        row = (ctypes.c_float * self._n_vocab).from_address(ctypes.addressof(pointer.contents))
        return int(np.ctypeslib.as_array(row).argmax())


def main() -> None:
    """Serve requests from standard input."""
    log_to_stderr()
    path, *numbers = sys.argv[1:]
    serve(BareLoop(path, *map(int, numbers)).answer)


if __name__ == "__main__":
    main()
