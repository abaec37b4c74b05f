"""One question after the other through `create_chat_completion`, as the MediLoRA paper's evaluation does it.

    python -m benchmarks.paper_way MODEL THREADS

Settings: 256 new tokens at most, ChatML, a context of 8192 tokens; the model stays loaded, and everything but the
temperature (0) and the threads is the library's default.
"""

import sys
import time
from typing import Any

import llama_cpp

from benchmarks.companion import serve

N_CTX = 8192
MAX_TOKENS = 256


def answer(llama: llama_cpp.Llama, request: dict[str, Any]) -> dict[str, Any]:
    """Answer `chats` (role and content of every turn); tokens generated and seconds for all of them."""
    began = time.perf_counter()
    generated = 0
    for chat in request["chats"]:
        completion: Any = llama.create_chat_completion(chat, temperature=0.0, max_tokens=MAX_TOKENS)
        generated += completion["usage"]["completion_tokens"]
    return {"generated_tokens": generated, "seconds": time.perf_counter() - began}


def main() -> None:
    """Serve requests from standard input."""
    path, threads = sys.argv[1], int(sys.argv[2])
    llama = llama_cpp.Llama(
        path, n_ctx=N_CTX, n_threads=threads, n_threads_batch=threads, chat_format="chatml", verbose=False
    )
    serve(lambda request: answer(llama, request))


if __name__ == "__main__":
    main()
