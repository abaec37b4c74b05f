"""A LoRA adapter as a GGUF of its own, refused where llama.cpp would apply it differently from how it was trained.

llama.cpp adds (alpha / rank) B A to each matrix, rank read from the tensor, alpha one number for the whole file.
"""

import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from build_tools.bases import origin
from build_tools.gguf.converter import run_adapter_converter
from medlora_edge.errors import CorruptError, UsageError

_CONFIG, _WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_PAIR = re.compile(r"\.lora_[AB]\.weight$")
_HEADER_LIMIT = 100 << 20  # of safetensors files


@dataclass(frozen=True)
class _Rule:
    """A key of adapter_config.json whose value must be one of `allowed` (missing counts as None)."""

    key: str
    allowed: tuple[object, ...]
    reason: str


_RULES = (
    _Rule("peft_type", ("LORA",), "only LoRA adapters are known to llama.cpp"),
    _Rule("use_rslora", (None, False), "llama.cpp scales by alpha / rank, rsLoRA by alpha / sqrt(rank)"),
    _Rule("use_dora", (None, False), "llama.cpp ignores DoRA's magnitudes"),
    _Rule("alpha_pattern", (None, {}), "llama.cpp has one alpha for the whole adapter"),
    _Rule("rank_pattern", (None, {}), "that ranks differ by layer was never compared with the merged model"),
    _Rule("layer_replication", (None, []), "the base's GGUF has no replicated layers"),
    _Rule("alora_invocation_tokens", (None, []), "the runtime would apply it to the whole prompt"),
    _Rule("modules_to_save", (None, []), "modules trained in full do not fit into an adapter GGUF"),
    _Rule("trainable_token_indices", (None, [], {}), "new or trained tokens do not fit into an adapter GGUF"),
    _Rule("bias", (None, "none"), "llama.cpp ignores trained biases"),
    _Rule("lora_bias", (None, False), "llama.cpp ignores trained biases"),
    _Rule("fan_in_fan_out", (None, False), "transposed layers (GPT-2) are converted the wrong way round"),
    _Rule("init_lora_weights", (None, True, False, "gaussian"), "this initialisation changes the base weights too"),
)

# Keys that say nothing about the arithmetic. Any other key with a value is a variant that was never compared.
_NEUTRAL = frozenset(
    {
        "auto_mapping",
        "base_model_name_or_path",
        "ensure_weight_tying",
        "exclude_modules",
        "inference_mode",
        "layers_pattern",
        "layers_to_transform",
        "lora_alpha",
        "lora_dropout",
        "megatron_core",
        "peft_version",
        "qalora_group_size",
        "r",
        "revision",
        "target_modules",
        "task_type",
    }
)


def convert_adapter(adapter: Path, base: Path, out: Path) -> None:
    """Write the PEFT folder `adapter`, trained on `base`, as an adapter GGUF.

    Raises UsageError with the reason when the runtime would not reproduce it, CorruptError for a damaged adapter,
    and what `convert` raises.
    """
    if not out.parent.is_dir():
        raise UsageError("no such folder", where=str(out.parent), fix="make it, or choose another place for the GGUF")
    config = _json(adapter / _CONFIG)
    _refuse_settings(config, adapter)
    _refuse_earlier(adapter)
    _refuse_base(_json(base / "config.json"), base)
    _refuse_tensors(_tensor_names(adapter / _WEIGHTS), adapter)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".adapter.") as workplace:
        # Without the model card that PEFT writes: from it the base's path on this machine would get into the GGUF.
        alone = Path(workplace) / out.stem
        alone.mkdir()
        for name in (_CONFIG, _WEIGHTS):
            (alone / name).symlink_to((adapter / name).absolute())
        run_adapter_converter(alone, base, out)


def _refuse_settings(config: dict[str, Any], adapter: Path) -> None:
    for rule in _RULES:
        value = config.get(rule.key)
        if value not in rule.allowed:
            raise _unfit(f"{rule.key} is {value!r}, and {rule.reason}", adapter)
    for key in sorted(config.keys() - _NEUTRAL - {rule.key for rule in _RULES}):
        if config[key]:
            raise _unfit(f"{key} is {config[key]!r}, and that was never compared with the merged model", adapter)


def _refuse_base(config: dict[str, Any], base: Path) -> None:
    if config.get("model_type") == "gpt2":
        raise _unfit("transposed layers (GPT-2) are converted the wrong way round", base)


def _refuse_earlier(adapter: Path) -> None:
    """By itself, an adapter that was stacked on others would answer without what those had learned."""
    if (adapter / origin.FILE).is_file() and (earlier := origin.read(adapter).adapters):
        raise _unfit(f"it was trained on top of {len(earlier)} earlier, and would be loaded without", adapter)


def _refuse_tensors(names: list[str], adapter: Path) -> None:
    for name in names:
        if "lm_head" in name or "embed_tokens" in name:
            raise _unfit(f"tensor {name}: llama.cpp does not apply an adapter to the vocabulary's matrices", adapter)
        if not _PAIR.search(name):
            raise _unfit(f"tensor {name} is neither A nor B of a LoRA", adapter)


def _unfit(reason: str, where: Path) -> UsageError:
    return UsageError(f"this adapter cannot ship as a GGUF: {reason}", where=str(where), fix="export the merged model")


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise UsageError("a file is missing", where=str(path), fix="give a PEFT adapter and its base folder") from error
    except ValueError as error:
        raise CorruptError(f"not valid JSON: {error}", where=str(path)) from error
    if not isinstance(value, dict):
        raise CorruptError("not a JSON object", where=str(path))
    return value


def _tensor_names(path: Path) -> list[str]:
    """Names in a safetensors file: an 8-byte length, then a JSON header."""
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(min(length, _HEADER_LIMIT)))
    except FileNotFoundError as error:
        raise UsageError("the adapter's weights are missing", where=str(path)) from error
    except ValueError as error:
        raise CorruptError("not a safetensors file, or cut short", where=str(path)) from error
    names = sorted(set(header) - {"__metadata__"}) if isinstance(header, dict) else []
    if not names:
        raise CorruptError("the adapter has no tensors", where=str(path))
    return names
