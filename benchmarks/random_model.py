"""Make a GGUF with random weights and a real tokenizer, for tests and for measurements of speed.

    python -m benchmarks.random_model tiny|250m --out DIR [--seed N]

It is a Llama in shape, quantised to Q3_K_L by llama.cpp itself, and knows nothing: its answers are noise. The
same seed and the same data files give the same bytes.
"""

import argparse
import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

from benchmarks.random_tokenizer import Vocabulary, vocabulary
from build_tools.gguf.quantise import histogram, quantise

CHATML = Path(__file__).parents[1] / "medlora_edge" / "engine" / "chatml.jinja"

# Spread of the logits in nats: wide enough that the likeliest token leads clearly, as in a trained model.
LOGIT_STD = 4.0

# Their logits are 0, which never leads: how long an answer is does not depend on chance.
ENDS = ("</s>", "<|im_end|>")
OUTPUT = "output.weight"


@dataclass(frozen=True)
class Shape:
    """Size of a Llama model; every row length is a multiple of 256, or K-quants would not apply."""

    hidden: int
    layers: int
    feed_forward: int
    heads: int
    kv_heads: int
    vocabulary: int
    context: int

    @property
    def head_size(self) -> int:
        """Values per attention head."""
        return self.hidden // self.heads


SHAPES = {
    "tiny": Shape(hidden=256, layers=3, feed_forward=768, heads=4, kv_heads=2, vocabulary=2048, context=4096),
    "250m": Shape(hidden=1024, layers=16, feed_forward=2816, heads=16, kv_heads=4, vocabulary=32_000, context=8192),
}


def make(name: str, folder: Path, *, seed: int = 0) -> Path:
    """Write `folder`/model.gguf in the shape called `name` and return its path.

    Raises KeyError for an unknown name, OSError as the disk gives it, CorruptError when quantising fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "model.gguf"
    with tempfile.TemporaryDirectory(dir=folder) as workplace:
        full, small = Path(workplace, "f16.gguf"), Path(workplace, "q3_k_l.gguf")
        write_f16(full, name, seed)
        quantise(full, small, "Q3_K_L")
        small.replace(target)
    return target


def write_f16(path: Path, name: str, seed: int) -> None:
    """Write the model before quantisation: matrices in F16, norms in F32."""
    shape = SHAPES[name]
    writer = gguf.GGUFWriter(path, "llama")
    _describe(writer, name, shape, seed)
    tokens = vocabulary(shape.vocabulary)
    _add_tokenizer(writer, tokens)
    for tensor, (rows, columns), _ in _matrices(shape):
        writer.add_tensor_info(tensor, (rows, columns), np.dtype(np.float16), rows * columns * 2)
    for tensor in _norms(shape):
        writer.add_tensor_info(tensor, (shape.hidden,), np.dtype(np.float32), shape.hidden * 4)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for number, (tensor, size, std) in enumerate(_matrices(shape)):
        weights = _normal((seed, number), size, std)
        if tensor == OUTPUT:
            weights[[tokens.id_of(text) for text in ENDS]] = 0
        writer.write_tensor_data(weights)
    for _ in _norms(shape):
        writer.write_tensor_data(np.ones(shape.hidden, np.float32))
    writer.close()


def _describe(writer: gguf.GGUFWriter, name: str, shape: Shape, seed: int) -> None:
    writer.add_name(f"medlora-{name}-untrained")
    writer.add_description(f"random weights (seed {seed}): for tests and speed only, its answers mean nothing")
    writer.add_license("apache-2.0")
    writer.add_bool("medlora.untrained", True)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.hidden)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(shape.head_size)
    writer.add_rope_freq_base(10_000.0)


def _add_tokenizer(writer: gguf.GGUFWriter, tokens: Vocabulary) -> None:
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens.pieces)
    writer.add_token_scores(tokens.scores)
    writer.add_token_types(tokens.types)
    writer.add_unk_token_id(tokens.id_of("<unk>"))
    writer.add_bos_token_id(tokens.id_of("<s>"))
    writer.add_eos_token_id(tokens.id_of("<|im_end|>"))
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(True)
    writer.add_chat_template(CHATML.read_text(encoding="utf-8"))


def _matrices(shape: Shape) -> Iterator[tuple[str, tuple[int, int], float]]:
    """Name, (outputs, inputs) and standard deviation of every matrix.

    Inputs have unit variance after a norm, so 1 / sqrt(inputs) keeps it; what is added to the residual stream
    is scaled down by the number of additions (GPT-2, section 2.3).
    """
    hidden, kv_size, wide = shape.hidden, shape.kv_heads * shape.head_size, shape.feed_forward
    unit, residual = 1 / math.sqrt(hidden), 1 / math.sqrt(2 * shape.layers)
    yield "token_embd.weight", (shape.vocabulary, hidden), 1.0
    for layer in range(shape.layers):
        block = f"blk.{layer}"
        yield f"{block}.attn_q.weight", (hidden, hidden), unit
        yield f"{block}.attn_k.weight", (kv_size, hidden), unit
        yield f"{block}.attn_v.weight", (kv_size, hidden), unit
        yield f"{block}.attn_output.weight", (hidden, hidden), unit * residual
        yield f"{block}.ffn_gate.weight", (wide, hidden), unit
        yield f"{block}.ffn_up.weight", (wide, hidden), unit
        yield f"{block}.ffn_down.weight", (hidden, wide), residual / math.sqrt(wide)
    yield OUTPUT, (shape.vocabulary, hidden), LOGIT_STD * unit


def _norms(shape: Shape) -> Iterator[str]:
    for layer in range(shape.layers):
        yield f"blk.{layer}.attn_norm.weight"
        yield f"blk.{layer}.ffn_norm.weight"
    yield "output_norm.weight"


def _normal(seed: tuple[int, int], size: tuple[int, int], std: float) -> NDArray[np.float16]:
    values = np.random.default_rng(seed).standard_normal(size, dtype=np.float32)
    return (values * np.float32(std)).astype(np.float16)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Make a GGUF with random weights and a real tokenizer.")
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for model.gguf")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    arguments = parser.parse_args()
    target = make(arguments.shape, arguments.out, seed=arguments.seed)
    types = ", ".join(f"{count} {name}" for name, count in histogram(target).most_common())
    print(f"{target}: {target.stat().st_size:,} bytes, untrained; tensors: {types}")


if __name__ == "__main__":
    main()
