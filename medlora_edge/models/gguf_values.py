"""Reads the numbers of a small GGUF's tensors, to see that none is NaN or infinite."""

from typing import TYPE_CHECKING

from medlora_edge.models.gguf_header import GgufHeader
from medlora_edge.models.gguf_types import BLOCKS, TensorType

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

READABLE = (TensorType.F32, TensorType.F16, TensorType.BF16, TensorType.Q8_0)


def require_finite(header: GgufHeader) -> None:
    """Raise CorruptError naming the first tensor that holds NaN or infinity; all types must be `READABLE`.

    Each tensor is read into memory whole; the layout must have been checked.
    """
    import numpy as np

    with header.path.open("rb") as stream:
        for tensor in header.tensors:
            stream.seek(header.data_start + tensor.offset)
            content = stream.read(tensor.size_bytes)
            if not np.isfinite(_numbers(content, tensor.type)).all():
                raise header.corrupt("a tensor holds NaN or infinity", where=f"tensor {tensor.name!r}")


def _numbers(content: bytes, kind: TensorType) -> "NDArray[np.floating]":
    """The tensor's numbers; of Q8_0 the scales of its blocks, whose other bytes are whole numbers."""
    import numpy as np

    match kind:
        case TensorType.F32:
            return np.frombuffer(content, "<f4")
        case TensorType.F16:
            return np.frombuffer(content, "<f2")
        case TensorType.BF16:  # the upper half of an F32
            return (np.frombuffer(content, "<u2").astype("<u4") << 16).view("<f4")
        case TensorType.Q8_0:
            return np.frombuffer(content, np.dtype([("scale", "<f2"), ("rest", f"V{BLOCKS[kind].size - 2}")]))["scale"]
    raise AssertionError(kind)
