"""Quantise a GGUF with llama.cpp itself, and see what types its tensors got."""

import ctypes
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medlora_edge.errors import CorruptError, ResourceError
from medlora_edge.files import sync_folder
from medlora_edge.models.gguf_header import GgufHeader, TensorInfo
from medlora_edge.models.gguf_reader import read_header

_ERROR_LEVEL = 4  # of ggml's log levels

_K_QUANTS = frozenset({"Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"})

# What llama.cpp's llama_tensor_get_type_impl gives each kind of matrix; the first name that fits counts.
_Q3_K_L = (("attn_qkv", "Q4_K"), ("attn_v", "Q5_K"), ("attn_output", "Q5_K"), ("ffn_down", "Q5_K"))

_NEVER_QUANTISED = ("_norm.weight", "ffn_gate_inp.weight", "position_embd.weight", "token_types.weight")


def quantise(source: Path, out: Path, to: str) -> None:
    """Write the F16 GGUF `source` as `out` in the type `to`, such as Q3_K_L.

    Raises CorruptError when llama.cpp refuses the file, ResourceError when the disk is full.
    """
    import llama_cpp

    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{to}")
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as workplace:
        work = Path(workplace) / out.name
        with _errors() as errors:
            failed = llama_cpp.llama_model_quantize(os.fsencode(source), os.fsencode(work), ctypes.byref(params))
        if failed:
            raise _failure(errors, source)
        work.replace(out)
    sync_folder(out.parent)


def histogram(path: Path) -> Counter[str]:
    """How many tensors of a GGUF have which type, by ggml's name for it."""
    return Counter(read_header(path).tensor_types)


def fallback_share(path: Path) -> float:
    """Share of matrix weights in another type than the file's quantisation prescribes for them.

    llama.cpp falls back by itself where a row length is no multiple of a block. Q3_K_L is checked kind by kind, other
    K-quants for being any K-quant. Raises CorruptError for a file without matrices.
    """
    header = read_header(path)
    matrices = [tensor for tensor in header.tensors if _is_matrix(tensor)]
    if not matrices:
        raise header.corrupt("the model has no matrices")
    fallen = sum(matrix.elements for matrix in matrices if matrix.type.name not in _prescribed(matrix, header))
    return fallen / sum(matrix.elements for matrix in matrices)


def _is_matrix(tensor: TensorInfo) -> bool:
    quantised = tensor.name.endswith("weight") and not tensor.name.endswith(_NEVER_QUANTISED)
    return quantised and sum(size > 1 for size in tensor.shape) > 1


def _prescribed(matrix: TensorInfo, header: GgufHeader) -> frozenset[str]:
    if header.quantisation == "Q8_0":
        return frozenset({"Q8_0"})
    if header.quantisation != "Q3_K_L":
        return _K_QUANTS
    tied = all(tensor.name != "output.weight" for tensor in header.tensors)
    if matrix.name == ("token_embd.weight" if tied else "output.weight"):
        return frozenset({"Q6_K"})
    return frozenset({next((kind for part, kind in _Q3_K_L if part in matrix.name), "Q3_K")})


def _failure(errors: list[str], source: Path) -> CorruptError | ResourceError:
    reason = errors[-1] if errors else "it gave no reason"
    if "iostream" in reason:  # how the C++ library reports a write that failed
        return ResourceError("the quantised file cannot be written", where=str(source.parent), fix="free space")
    return CorruptError(f"llama.cpp cannot quantise this file: {reason}", where=str(source))


@contextmanager
def _errors() -> Iterator[list[str]]:
    """Collects llama.cpp's error messages; the last of them says why it failed."""
    import llama_cpp

    from medlora_edge.engine.native import log_to_stderr

    found: list[str] = []

    def note(level: int, text: bytes, _: object) -> None:
        if level == _ERROR_LEVEL and text.strip():
            found.append(text.decode(errors="replace").strip())

    callback = llama_cpp.llama_log_callback(note)  # llama.cpp keeps only its address: it must live on in here
    llama_cpp.llama_log_set(callback, None)
    try:
        yield found
    finally:
        log_to_stderr()
