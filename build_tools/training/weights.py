"""What was trained, to and from a folder: the new adapter, or all weights."""

import json
import shutil
from pathlib import Path
from typing import Any

from build_tools.bases import origin
from build_tools.training.disk import disk_errors
from medlora_edge.errors import CorruptError
from medlora_edge.files import sync_folder

NEW = "default"  # the name under which PEFT holds the adapter that is trained
ADAPTER = "adapter_model.safetensors"
FULL = "model.safetensors"
WEIGHT_FILES = (".safetensors", ".safetensors.index.json", ".bin", ".bin.index.json")


def save(model: Any, folder: Path) -> None:
    """Save the trained weights into an existing folder. Raises OSError or SafetensorError as the disk gives it."""
    from peft import PeftModel, get_peft_model_state_dict
    from safetensors.torch import save_file, save_model

    if not isinstance(model, PeftModel):
        save_model(model, str(folder / FULL))
        return
    # PEFT's own choice about embeddings asks the Hub; these adapters never resize any.
    tensors = get_peft_model_state_dict(model, adapter_name=NEW, save_embedding_layers=False)
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, folder / ADAPTER, {"format": "pt"})
    _save_config(model.peft_config[NEW], folder)


def load(model: Any, folder: Path, *, adapter: str = NEW) -> None:
    """Load what `save` wrote into the same model, or into its adapter of that name.

    Raises CorruptError (exit 3) naming a tensor that is missing, too many or of another shape.
    """
    from peft import PeftModel, get_peft_model_state_dict, set_peft_model_state_dict
    from safetensors.torch import load_file, load_model

    if not isinstance(model, PeftModel):
        load_model(model, str(folder / FULL), strict=True)
        return
    tensors = load_file(folder / ADAPTER)
    _require_same(tensors, get_peft_model_state_dict(model, adapter_name=adapter, save_embedding_layers=False), folder)
    set_peft_model_state_dict(model, tensors, adapter_name=adapter)


def _require_same(found: Any, wanted: Any, where: Path) -> None:
    """Require the same names and shapes. Raises CorruptError (exit 3) naming the first tensor that differs."""
    for tensor in sorted(found.keys() ^ wanted.keys()):
        what = "lacks the tensor" if tensor in wanted else "has a tensor that the model has no place for:"
        raise CorruptError(f"the adapter {what} {tensor}", where=str(where / ADAPTER), fix="train it again")
    for tensor in sorted(found):
        if found[tensor].shape != wanted[tensor].shape:
            shapes = f"{list(found[tensor].shape)}, not {list(wanted[tensor].shape)}"
            raise CorruptError(f"the tensor {tensor} has the shape {shapes}", where=str(where / ADAPTER))


def save_result(model: Any, folder: Path, *, base: Path, origin_of: origin.Origin) -> None:
    """Write the finished adapter, or the finished model folder, whole or not at all, in place of an older one.

    Raises ResourceError (exit 4) when the disk does not take it.
    """
    temporary = folder.with_name(f".{folder.name}")
    with disk_errors(f"the result of training, {folder.name},", folder.parent):
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        if hasattr(model, "peft_config"):
            save(model, temporary)
            origin.write(temporary, origin_of)
        else:
            _save_model_folder(model, temporary, base)
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
        sync_folder(folder.parent)


def _save_config(config: Any, folder: Path) -> None:
    """PEFT's own file without what differs from machine to machine: the base's path, the order of a set."""
    config.save_pretrained(folder)
    path = folder / "adapter_config.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content |= {"base_model_name_or_path": None, "target_modules": sorted(content["target_modules"])}
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _save_model_folder(model: Any, folder: Path, base: Path) -> None:
    """The base folder with new weights: every other file byte for byte, the weights in the type they had."""
    import torch

    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    model.to(getattr(torch, config.get("dtype") or config.get("torch_dtype") or "float32"))
    model.save_pretrained(folder)
    for path in base.iterdir():
        if path.is_file() and not path.name.endswith(WEIGHT_FILES) and path.name != "step.json":
            shutil.copyfile(path, folder / path.name)
