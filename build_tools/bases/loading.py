"""The one way a causal language model is loaded, so that training, merging and their gates see the same weights."""

from pathlib import Path
from typing import Any, Literal

from build_tools.bases import shape
from build_tools.bases.origin import LoadBits
from medlora_edge.errors import CorruptError


def load(folder: Path, bits: LoadBits | Literal["stored"]) -> Any:
    """Load a Hugging Face folder: 4 bits is NF4 with double quantisation and bf16 compute (QLoRA, arXiv 2305.14314,
    section 3), the head and all that is no linear layer in bf16; 16 is bf16; 32 is fp32; `stored` is the files' type.

    Raises CorruptError for a weight that the files lack, which would otherwise start out random.
    """
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()  # it would be drawn over the program's own
    if bits == 4 and shape.read(folder)["model_type"] == "falcon":
        _let_falcon_be_quantised()
    model, report = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype={32: torch.float32, "stored": "auto"}.get(bits, torch.bfloat16),
        quantization_config=_nf4() if bits == 4 else None,
        local_files_only=True,
        output_loading_info=True,
    )
    if report["missing_keys"]:
        raise CorruptError(
            f"the model folder lacks the tensor {min(report['missing_keys'])}",
            where=str(folder),
            fix="get the folder again from where it came",
        )
    if bits == 4:
        _keep_layout(model)
    return model


def _keep_layout(model: Any) -> None:
    """Without this, bitsandbytes on a CPU with AVX512-BF16 repacks a layer's 4-bit weight at its first forward in eval
    mode: what is read from the weight is then wrong, and the gradients of later training steps are too.
    """
    from bitsandbytes.nn import Linear4bit

    for module in model.modules():
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = False


def _let_falcon_be_quantised() -> None:
    """transformers 5.23 quantises layers that are `nn.Linear` itself; Falcon's are of a subclass with the same result,
    so that its whole model would stay in 16 bits, with a line in the log.
    """
    import torch
    from transformers.models.falcon import modeling_falcon

    modeling_falcon.FalconLinear = torch.nn.Linear


def _nf4() -> Any:
    import torch
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
