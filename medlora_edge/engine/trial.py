"""A tiny decode with one CPU variant: it dies here, in a process of its own, rather than in the middle of an answer."""

from pathlib import Path

import numpy as np

from medlora_edge import paths
from medlora_edge.engine.native import Context, Feed, LoadError, Weights, register_backend

N_PROMPT = 33  # more than one tile of every matrix kernel, and a rest
N_STEPS = 3


def decodes(library: Path) -> bool:
    """Register the variant, compute a few tokens with the model that ships; False when anything is not as it must be.

    Raises LoadError for a context that cannot be made, and DecodeError. Where no model ships, or llama.cpp does not
    load it, which is the file's fault, registering is all there is to see.
    """
    if not register_backend(library):
        return False
    models = sorted((paths.shipped_models_dir() or Path()).glob("*/*.gguf"), key=lambda path: path.stat().st_size)
    if not models:
        return True
    try:
        weights = Weights(str(models[0]), gpu_layers=0, on_progress=lambda _: None)
    except LoadError:
        return True
    return _computes(weights)


def _computes(weights: Weights) -> bool:
    context = Context(weights, n_ctx=256, n_seq=1, unified=True, n_batch=64, threads=1, kv_type="f16", n_outputs=1)
    tokens = [token % weights.n_vocab for token in range(1, N_PROMPT + 1)]
    context.decode([Feed(0, 0, tokens, [N_PROMPT - 1])])
    logits = context.logits(N_PROMPT - 1)
    for step in range(N_STEPS):
        likeliest = int(logits.argmax())
        context.decode([Feed(0, N_PROMPT + step, [likeliest], [0])])
        logits = context.logits(0)
    return bool(np.isfinite(logits).all() and logits.std() > 0)
