"""LoRA adapters with random numbers, and models into whose weights one was merged by hand."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import DTypeLike, NDArray

from medlora_edge.models import read_header

RANK = 8
ALPHA = 16.0
EMBEDDINGS = "token_embd.weight"

Pairs = dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]


def random_pairs(model: Path, names: Iterable[str], *, strength: float = 1.0) -> Pairs:
    """A (rank, inputs) and B (outputs, rank) of each matrix, laid out as llama.cpp wants them; B = 0 at strength 0."""
    shapes = {tensor.name: tensor.shape for tensor in read_header(model).tensors}
    numbers = np.random.default_rng(0)
    pairs: Pairs = {}
    for name in names:
        inputs, outputs = shapes[name]
        a_shape, b_shape = (RANK, inputs), (outputs, RANK)
        if name == EMBEDDINGS:
            a_shape, b_shape = (outputs, RANK), (inputs, RANK)
        a = numbers.normal(0, inputs**-0.5, a_shape).astype(np.float32)
        pairs[name] = a, (strength * numbers.normal(0, 0.05, b_shape)).astype(np.float32)
    return pairs


def matrices(model: Path) -> list[str]:
    """Names of all matrices of a model."""
    return [tensor.name for tensor in read_header(model).tensors if len(tensor.shape) == 2]


def write_adapter(
    path: Path,
    pairs: Pairs,
    *,
    architecture: str = "llama",
    kind: str = "lora",
    alpha: float | None = ALPHA,
    stored_as: DTypeLike = np.float32,
    change: Callable[[gguf.GGUFWriter], None] | None = None,
) -> Path:
    """Write a LoRA adapter as llama.cpp's converter does; `change` may add more before it is written."""
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, kind)
    if alpha is not None:
        writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
    for name, (a, b) in pairs.items():
        writer.add_tensor(f"{name}.lora_a", a.astype(stored_as))
        writer.add_tensor(f"{name}.lora_b", b.astype(stored_as))
    if change:
        change(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def merge(model: Path, pairs: Pairs, target: Path) -> Path:
    """Copy an F16 model and add (alpha / rank) B A to each adapted matrix (Hu et al. 2021, equation 3)."""
    shutil.copyfile(model, target)
    header = read_header(target)
    for tensor in header.tensors:
        if tensor.name not in pairs:
            continue
        a, b = pairs[tensor.name]
        change = a @ b.T if tensor.name == EMBEDDINGS else b @ a
        weights = np.memmap(
            target, np.float16, "r+", offset=header.data_start + tensor.offset, shape=tensor.shape[::-1]
        )
        weights[:] = (weights.astype(np.float32) + ALPHA / RANK * change).astype(np.float16)
        weights.flush()
    return target
