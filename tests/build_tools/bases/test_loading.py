"""Loading a model: the right bits a weight, nothing left to chance, and the same outputs in fp32 at any width."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from build_tools.bases.exact_compute import in_fp32
from build_tools.bases.loading import load
from medlora_edge.errors import CorruptError

Bases = Callable[[str], Path]


def logits(model: Any) -> Any:
    import torch

    with torch.inference_mode():
        return model.eval()(input_ids=torch.arange(40)[None]).logits


def fourbit(model: Any) -> dict[str, Any]:
    """Dequantised weights of the 4-bit layers by name."""
    from bitsandbytes.functional import dequantize_4bit
    from bitsandbytes.nn import Linear4bit

    return {
        name: dequantize_4bit(module.weight.data, module.weight.quant_state)
        for name, module in model.named_modules()
        if isinstance(module, Linear4bit)
    }


@pytest.mark.parametrize(
    ("layout", "layers"), [("llama", 14), ("mistral", 14), ("qwen2", 14), ("gemma", 14), ("gpt2", 8), ("falcon-rw", 8)]
)
def test_4_bits_are_nf4_with_double_quantisation_and_leave_the_head(
    tiny_bases: Bases, layout: str, layers: int
) -> None:
    model = load(tiny_bases(layout), 4)
    states = [module.weight.quant_state for module in model.modules() if type(module).__name__ == "Linear4bit"]
    assert len(states) == layers
    assert all(state.quant_type == "nf4" and state.nested for state in states)
    assert str(model.lm_head.weight.dtype) == "torch.bfloat16"


@pytest.mark.parametrize(
    ("bits", "dtype"), [(16, "torch.bfloat16"), (32, "torch.float32"), ("stored", "torch.float32")]
)
def test_other_widths_are_what_they_say(scratch_base: Path, bits: Any, dtype: str) -> None:
    assert {str(weight.dtype) for weight in load(scratch_base, bits).parameters()} == {dtype}


def test_a_weight_that_the_files_lack_is_named(tmp_path: Path, scratch_base: Path) -> None:
    """transformers would start it at random, with a note in its log."""
    from safetensors.torch import load_file, save_file

    folder = Path(shutil.copytree(scratch_base, tmp_path / "base"))
    (file,) = folder.glob("*.safetensors")
    tensors = load_file(file)
    del tensors["model.norm.weight"]
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(CorruptError, match=r"model\.norm\.weight"):
        load(folder, 32)


def test_a_forward_in_eval_mode_leaves_4_bit_weights_readable(scratch_base: Path) -> None:
    model = load(scratch_base, 4)
    before = fourbit(model)
    logits(model)
    after = fourbit(model)
    assert all(after[name].equal(before[name]) for name in before)


@pytest.mark.parametrize("layout", ["llama", "qwen2", "gemma", "gpt2", "falcon"])
def test_a_16_bit_model_computes_in_fp32_what_its_widened_copy_computes(tiny_bases: Bases, layout: str) -> None:
    narrow = load(tiny_bases(layout), 16)
    wide = load(tiny_bases(layout), 16).float()
    assert logits(in_fp32(narrow)).equal(logits(wide))
    assert {str(weight.dtype) for weight in narrow.parameters()} == {"torch.bfloat16"}


@pytest.mark.parametrize("layout", ["llama", "falcon-rw"])
def test_a_4_bit_model_computes_in_fp32_on_the_weights_that_training_sees(tiny_bases: Bases, layout: str) -> None:
    import torch

    model, wide = load(tiny_bases(layout), 4), load(tiny_bases(layout), 16).float()
    for name, weight in fourbit(model).items():
        wide.get_submodule(name).weight = torch.nn.Parameter(weight.float())
    assert logits(in_fp32(model)).equal(logits(wide))
