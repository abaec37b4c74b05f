"""What a GGUF is for: a chat model, or one of the many valid files that cannot chat."""

from enum import StrEnum

from medlora_edge.errors import UsageError
from medlora_edge.models.gguf_header import GgufHeader


class Purpose(StrEnum):
    """The job of a file; for all but chat, the words say why it cannot chat."""

    CHAT = "a chat model"
    SPLIT = "one part of a model that is split over several files"
    VOCABULARY = "a vocabulary without any weights"
    NO_VOCABULARY = "a model without a vocabulary"
    EMBEDDING = "an embedding, encoder or reranking model: it turns text into numbers, not into an answer"
    ENCODER_DECODER = "an encoder-decoder model, which this program cannot run"
    DIFFUSION = "a diffusion model, which does not write an answer from left to right"
    PROJECTOR = "the image or audio projector (mmproj) of a model, not the model itself"
    ADAPTER = "an adapter (LoRA): it only works together with the model it was made for"
    DRAFT = "a draft model for speculative decoding, which needs the model it was made for"
    SPEECH = "a speech model"
    STATISTICS = "a file of statistics or directions about a model, not a model"


ARCHITECTURES = {
    Purpose.EMBEDDING: (
        "bert", "modern-bert", "nomic-bert", "nomic-bert-moe", "neo-bert", "jina-bert-v2", "jina-bert-v3",
        "eurobert", "gemma-embedding", "llama-embed", "t5encoder",
    ),
    Purpose.ENCODER_DECODER: ("t5",),
    Purpose.DIFFUSION: ("dream", "llada", "llada-moe", "rnd1"),
    Purpose.PROJECTOR: ("clip",),
    Purpose.DRAFT: ("eagle3", "dflash", "gemma4-assistant"),
    Purpose.SPEECH: ("wavtokenizer-dec", "qwen3tts", "pockettts"),
    Purpose.STATISTICS: ("controlvector", "imatrix"),
}  # fmt: skip

TYPES = {
    "adapter": Purpose.ADAPTER,
    "mmproj": Purpose.PROJECTOR,
    "imatrix": Purpose.STATISTICS,
    "vocab": Purpose.VOCABULARY,
}

POOLING_NONE = 0


def purpose(header: GgufHeader) -> Purpose:
    """Tell the job from the metadata. Raises CorruptError where a value has the wrong type."""
    if header.integer("split.count", 0) > 1:
        return Purpose.SPLIT
    if header.text("general.type") in TYPES:
        return TYPES[header.text("general.type")]
    for job, names in ARCHITECTURES.items():
        if header.architecture in names:
            return job
    if not header.tensors:
        return Purpose.VOCABULARY
    return Purpose.EMBEDDING if _pools(header) else _by_vocabulary(header)


def _pools(header: GgufHeader) -> bool:
    """Whether it looks both ways or sums a text up: but for this, Qwen3-Embedding is an ordinary `qwen3`."""
    return (
        header.integer(header.model_key("pooling_type"), POOLING_NONE) != POOLING_NONE
        or not header.boolean(header.model_key("attention.causal"), default=True)
        or header.strings(header.model_key("classifier.output_labels")) is not None
    )


def _by_vocabulary(header: GgufHeader) -> Purpose:
    if header.text("tokenizer.ggml.model") in ("", "none", "no_vocab"):
        return Purpose.NO_VOCABULARY
    return Purpose.CHAT


def require_chat_model(header: GgufHeader) -> None:
    """Raise UsageError (exit 2) when the file is valid but made for another job than chat."""
    job = purpose(header)
    if job is Purpose.CHAT:
        return
    fix = "choose a chat or instruction model in GGUF form"
    if job is Purpose.SPLIT:
        fix = "join the parts with llama.cpp's `llama-gguf-split --merge`, or get the model as one file"
    if job is Purpose.ADAPTER:
        fix = "give the model it was made for with --model, and this file with --adapter"
    raise UsageError(f"the file cannot be used for chat: it is {job}", where=str(header.path), fix=fix)
