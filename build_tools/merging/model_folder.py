"""A Hugging Face model folder: which file holds which weight, and a copy of what makes it whole."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ValidationError

from build_tools.data.model_files import template_source
from build_tools.merging.stored_tensors import StoredTensor, stored_tensors
from medlora_edge.errors import CorruptError, ResourceError, UsageError
from medlora_edge.files import sync_folder

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
BESIDE_THE_WEIGHTS = (
    "config.json",
    "generation_config.json",
    "chat_template.jinja",
    "tokenizer_config.json",
    "tokenizer.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "spiece.model",
    "LICENSE",
    "LICENSE.txt",
    "NOTICE",
)


class _Index(BaseModel):
    weight_map: dict[str, str]


def model_tensors(folder: Path) -> dict[str, StoredTensor]:
    """All weights by name, over one file or several. Raises CorruptError for files that are missing or damaged."""
    tensors: dict[str, StoredTensor] = {}
    for name in _weight_files(folder):
        tensors.update(stored_tensors(folder / name))
    return tensors


def copy(base: Path, folder: Path) -> None:
    """Copy a model byte for byte: configuration, tokenizer, chat template, weights; nothing else that lies there.

    Raises what `template_source` raises, ResourceError where the disk is too small.
    """
    template_source(base)  # a stale one would ship
    beside = (*BESIDE_THE_WEIGHTS, INDEX)
    names = [*(name for name in beside if (base / name).is_file()), *_weight_files(base)]
    _require_space(folder, sum((base / name).stat().st_size for name in names))
    for name in names:
        shutil.copyfile(base / name, folder / name)


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder to fill, under a temporary name beside `out`; it becomes `out` when the block ends well, else vanishes.

    Raises UsageError where `out` exists, ResourceError where the disk refuses.
    """
    if out.exists():
        raise UsageError("this folder exists already", where=str(out), fix="remove it, or name another")
    partial = out.with_name(f".{out.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)  # of a run that was killed
        partial.mkdir(parents=True)
        yield partial
        for path in partial.iterdir():
            _sync(path)
        partial.rename(out)
        sync_folder(out.parent)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ResourceError(f"cannot write the merged model: {reason}", where=str(out), fix="free space") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _weight_files(folder: Path) -> tuple[str, ...]:
    """Names of the safetensors files that the model consists of."""
    if (folder / INDEX).is_file():
        return _shards(folder / INDEX)
    if (folder / WEIGHTS).is_file():
        return (WEIGHTS,)
    raise UsageError(
        f"the model folder has no {WEIGHTS} and no {INDEX}",
        where=str(folder),
        fix="save the model in the safetensors format",
    )


def _shards(index: Path) -> tuple[str, ...]:
    try:
        names = sorted(set(_Index.model_validate_json(index.read_bytes()).weight_map.values()))
    except ValidationError as error:
        raise CorruptError("the index of the weights is damaged", where=str(index)) from error
    for name in names:
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise CorruptError(f"the index names {name!r}, which can be no file beside it", where=str(index))
        if not (index.parent / name).is_file():
            raise CorruptError("a file of weights is missing", where=str(index.parent / name))
    return tuple(names)


def _require_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ResourceError(
            f"the merged model needs {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free",
            where=str(folder.parent),
            fix="free space",
        )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
