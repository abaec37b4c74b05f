"""The model that is trained: its base as loaded everywhere, earlier adapters frozen on it, a new adapter in fp32."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from build_tools.bases import loading
from build_tools.bases.architectures import targets
from build_tools.recipe.schema import Adapter
from build_tools.training import weights
from build_tools.training.job import Job


def prepare(job: Job) -> Any:
    """Load the base and put the stage's adapter on it, over the earlier adapters, oldest first.

    `adapter: none` gives all weights in fp32, whatever type they are stored in. Raises CorruptError for a damaged
    base or earlier adapter.
    """
    import torch
    from transformers import set_seed

    stage = job.stage
    set_seed(job.seed)
    full = stage.adapter == "none"
    model = loading.load(job.base, 32 if full else stage.load_bits)
    if torch.cuda.is_available() and stage.load_bits != 4:
        model = model.cuda()
    if isinstance(stage.adapter, Adapter):
        return _with_adapters(model, stage.adapter, job.adapters)
    return model


def trained_parameters(model: Any) -> list[Any]:
    """Parameters that get a gradient."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def _with_adapters(model: Any, adapter: Adapter, earlier: Sequence[Path]) -> Any:
    from peft import get_peft_model

    model = get_peft_model(model, _lora(model, adapter), adapter_name=weights.NEW)
    names = [f"earlier{index}" for index in range(len(earlier))]
    for adapter_name, folder in zip(names, earlier, strict=True):
        _load_frozen(model, adapter_name, folder)
    model.base_model.set_adapter([*names, weights.NEW])
    for name, parameter in model.named_parameters():
        parameter.requires_grad = f".{weights.NEW}." in name
    return model


def _lora(model: Any, adapter: Adapter) -> Any:
    from peft import LoraConfig
    from transformers.pytorch_utils import Conv1D

    return LoraConfig(
        task_type="CAUSAL_LM",
        r=adapter.rank,
        lora_alpha=adapter.alpha,
        lora_dropout=adapter.dropout,
        target_modules=targets(model.config.to_dict(), adapter),
        use_rslora=adapter.use_rslora,
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in model.modules()),
    )


def _load_frozen(model: Any, name: str, folder: Path) -> None:
    """Put an earlier adapter on as it answers, without its dropout."""
    from peft import LoraConfig

    config = LoraConfig.from_pretrained(folder)
    config.lora_dropout = 0.0
    config.inference_mode = True
    model.add_adapter(name, config)
    weights.load(model, folder, adapter=name)
