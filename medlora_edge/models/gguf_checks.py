"""Checks that a GGUF is sound before llama.cpp sees it, which can abort on what these refuse."""

from medlora_edge.models.gguf_header import GgufHeader
from medlora_edge.models.gguf_hyperparameters import check_hyperparameters
from medlora_edge.models.gguf_purpose import Purpose, purpose, require_chat_model
from medlora_edge.models.gguf_vocabulary import check_vocabulary


def check(header: GgufHeader) -> None:
    """Check the structure and the ranges of a file of any purpose.

    Raises CorruptError (exit 3) for damage, UsageError (exit 2) for one part of a split model.
    """
    _check_layout(header)
    job = purpose(header)
    if job is Purpose.SPLIT:
        require_chat_model(header)
    if "tokenizer.ggml.tokens" in header.values:
        check_vocabulary(header)
    if job is Purpose.CHAT:
        check_hyperparameters(header)


def _check_layout(header: GgufHeader) -> None:
    """Tensors lie one behind the other without gaps, as llama.cpp demands, and end inside the file."""
    names: set[str] = set()
    expected = 0
    for tensor in header.tensors:
        if tensor.name in names:
            raise header.corrupt("two tensors have the same name", where=f"tensor {tensor.name!r}")
        names.add(tensor.name)
        if tensor.offset != expected:
            raise header.corrupt(
                f"a tensor begins at {tensor.offset} in the data where {expected} is due",
                where=f"tensor {tensor.name!r}",
            )
        end = tensor.offset + tensor.size_bytes
        if header.data_start + end > header.file_size:
            raise header.corrupt(
                f"a tensor reaches byte {header.data_start + end}, but the file ends at {header.file_size}: "
                "it is truncated",
                where=f"tensor {tensor.name!r}",
            )
        expected = -(-end // header.alignment) * header.alignment
