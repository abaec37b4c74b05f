"""How much memory a model takes with a given context, and whether this machine has it.

The formulas follow llama.cpp's allocations on the CPU: flash attention, the KV caches of the engine's context, and
sliding windows cached in full. Held against the sizes it logs (llama-cpp-python 0.3.36; 72 runs of llama, qwen2, phi3
and gemma3 shapes 256 to 4096 wide, contexts of 1k to 32k for 1 to 32 sequences, batches of 128 to 512, f16 and q8_0;
4 runs of qwen3moe): weights and KV exact; compute buffer 4 % too small (gemma3 with q8_0) to 9 % too large, for
mixtures of experts to 40 % too large. Counted too high: layers that share a KV cache. Not counted: the state of
recurrent layers, at most tens of megabytes a sequence.
"""

from dataclasses import dataclass

from medlora_edge.engine.protocol import ContextOptions
from medlora_edge.errors import ResourceError
from medlora_edge.models.gguf_header import GgufHeader
from medlora_edge.models.memory_available import available_memory
from medlora_edge.models.units import MIB, size_text

KV_BYTES_OF_32 = {"f16": 64, "q8_0": 34}
FLOAT = 4
MASK_ENTRY = 2  # the attention mask is f16
STEP = 256  # llama.cpp rounds a context up to a multiple of this
OUTPUT_ROWS = 48  # rows of logits that the engine keeps room for
OVERHEAD = 200 * MIB  # the engine's Python, its libraries, llama.cpp's own tables and work buffers
MARGIN = 256 * MIB  # what the rest of the machine needs meanwhile


@dataclass(frozen=True)
class MemoryPlan:
    """Bytes that a model takes at `n_ctx` tokens, bytes that are free, and the largest context that would fit.

    Both contexts are for all sequences together, with a multiple of 256 tokens for each. `largest_context` has at
    most what the model was trained for; it is 0 when none fits.
    """

    n_ctx: int
    weights: int
    kv: int
    compute: int
    overhead: int
    available: int
    largest_context: int

    @property
    def total(self) -> int:
        """Everything together."""
        return self.weights + self.kv + self.compute + self.overhead

    @property
    def fits(self) -> bool:
        """Whether it can be loaded."""
        return self.total <= self.available


def plan(header: GgufHeader, options: ContextOptions, *, available: int | None = None) -> MemoryPlan:
    """Plan the memory of a checked chat model; the free memory is measured unless given, in bytes."""
    step = STEP * options.n_seq_max  # every sequence gets the same
    wanted = -(-(options.n_ctx or header.context_length) // step)
    trained = -(-header.context_length // STEP)
    free = available_memory() if available is None else available
    kv_step = _kv_bytes(header, options.kv_type, STEP * options.kv_caches)
    mask_step = _mask_bytes(header, options.n_batch, STEP)
    activations = _activation_bytes(header, options)
    fixed = header.weights_bytes + activations + OVERHEAD + MARGIN
    steps = max(0, free - fixed) // (kv_step + mask_step)
    return MemoryPlan(
        n_ctx=wanted * step,
        weights=header.weights_bytes,
        kv=kv_step * wanted,
        compute=activations + mask_step * wanted,
        overhead=OVERHEAD + MARGIN,
        available=free,
        largest_context=min(steps, trained) * step,
    )


def require_memory(header: GgufHeader, options: ContextOptions, *, available: int | None = None) -> MemoryPlan:
    """Return the plan when it fits.

    Raises ResourceError (exit 4) with the numbers and the largest context that fits when it does not.
    """
    planned = plan(header, options, available=available)
    if planned.fits:
        return planned
    parts = (
        f"weights {size_text(planned.weights)}, KV cache {size_text(planned.kv)} for {planned.n_ctx} tokens, "
        f"computing {size_text(planned.compute)}, program and reserve {size_text(planned.overhead)}"
    )
    if planned.largest_context:
        fix = f"close other programs, or use a context of at most {planned.largest_context} tokens"
    else:
        fix = "not even the weights fit: close other programs, or choose a smaller model"
    raise ResourceError(
        f"not enough memory: {size_text(planned.total)} are needed ({parts}), {size_text(planned.available)} are free",
        fix=fix,
    )


def _kv_bytes(header: GgufHeader, kv_type: str, tokens: int) -> int:
    """Keys and values: the sum over layers of KV heads times (key length + value length), for every token."""
    layers = header.integer(header.model_key("block_count"))
    heads_key = header.model_key("attention.head_count_kv")
    if heads_key not in header.values:
        heads_key = header.model_key("attention.head_count")
    numbers = sum(header.per_layer(heads_key, layers, 0)) * sum(_head_sizes(header))
    return numbers * tokens * KV_BYTES_OF_32[kv_type] // 32


def _head_sizes(header: GgufHeader) -> tuple[int, int]:
    """Length of a head's key and value. Latent attention (MLA) keeps both in the key."""
    size = _width(header) // max(1, _heads(header))
    key = header.integer(header.model_key("attention.key_length"), size)
    latent = header.model_key("attention.key_length_mla") in header.values
    return key, 0 if latent else header.integer(header.model_key("attention.value_length"), size)


def _heads(header: GgufHeader) -> int:
    layers = header.integer(header.model_key("block_count"))
    return max(header.per_layer(header.model_key("attention.head_count"), layers, 0))


def _width(header: GgufHeader) -> int:
    return header.integer(header.model_key("embedding_length"))


def _mask_bytes(header: GgufHeader, n_batch: int, tokens: int) -> int:
    masks = 2 if header.integer(header.model_key("attention.sliding_window"), 0) else 1
    return n_batch * tokens * MASK_ENTRY * masks


def _activation_bytes(header: GgufHeader, options: ContextOptions) -> int:
    """The most that any step of the network holds for one batch, and the logits copied out of it."""
    tokens = header.strings("tokenizer.ggml.tokens") or ()
    width = max(_width(header), _heads(header) * _head_sizes(header)[0])
    rows = min(options.n_batch, max(options.n_seq_max, OUTPUT_ROWS))
    logits = rows * FLOAT * (len(tokens) + 4 * width)
    layer = options.n_batch * FLOAT * max(_feed_forward(header) + 4 * width, 7 * width)
    return max(layer, logits) + rows * FLOAT * len(tokens)


def _feed_forward(header: GgufHeader) -> int:
    """Numbers that the feed-forward part holds for one token: gate, up and their product; for all experts used."""
    layers = header.integer(header.model_key("block_count"))
    wide = max(header.per_layer(header.model_key("feed_forward_length"), layers, 0))
    used = max(header.per_layer(header.model_key("expert_used_count"), layers, 0))
    if not used:
        return 3 * wide
    wide = max(header.per_layer(header.model_key("expert_feed_forward_length"), layers, wide))
    return max(3 * used * wide, 2 * used * _width(header)) + _width(header)
