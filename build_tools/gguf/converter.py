"""llama.cpp's official converter, run as a program of its own with this environment's libraries and no network."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from build_tools.gguf.source_distribution import NAME, unpacked
from medlora_edge.errors import CorruptError, MedloraError, ResourceError, UsageError
from medlora_edge.files import sync_folder
from medlora_edge.paths import data_dir, private_folder

_KILLED = -9
_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}


def fetch() -> Path:
    """Put the converter into the data folder, checked against its pinned hash; its root folder.

    Raises UsageError without a network, CorruptError for another archive, ResourceError for a full disk.
    """
    return unpacked(private_folder(data_dir() / "converter"))


def convert(model: Path, out: Path, *, name: str | None = None) -> None:
    """Write the Hugging Face folder `model` as the GGUF `out`: matrices in F16, vectors in F32.

    `name`: what the GGUF calls itself, by default the folder's name.

    Raises UsageError for a missing folder, for a kind of model that the converter does not know, or when it was not
    fetched; CorruptError in its own words for what it refuses; ResourceError when memory or disk ran out.
    """
    if not (model / "config.json").is_file():
        raise UsageError("no Hugging Face model is in this folder", where=str(model), fix="give its folder")
    named = ["--model-name", name] if name else []
    _run("convert_hf_to_gguf.py", ["--outtype", "f16", *named, str(model)], model, out)


def run_adapter_converter(adapter: Path, base: Path, out: Path) -> None:
    """Write a PEFT adapter as a GGUF in F32, unchecked; errors as `convert`."""
    _run("convert_lora_to_gguf.py", ["--outtype", "f32", "--base", str(base), str(adapter)], adapter, out)


def _run(script: str, arguments: Sequence[str], source: Path, out: Path) -> None:
    tools = _tools()
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as workplace:
        work = Path(workplace) / out.name
        command = [sys.executable, str(tools / script), "--outfile", str(work), *arguments]
        done = subprocess.run(
            command, env=_environment(tools), capture_output=True, text=True, errors="replace", check=False
        )
        if done.returncode or not work.exists():
            raise _failure(done, source)
        work.replace(out)
    sync_folder(out.parent)


def _tools() -> Path:
    place = data_dir() / "converter" / NAME / "vendor" / "llama.cpp"
    if not place.is_dir():
        raise UsageError("the converter is not here yet", where=str(place), fix="medlora-build fetch converter")
    return place.resolve()


def _environment(tools: Path) -> dict[str, str]:
    """Ours, but with the gguf library that belongs to the converter."""
    inherited = {name: value for name, value in os.environ.items() if name != "NO_LOCAL_GGUF"}
    return inherited | _OFFLINE | {"PYTHONPATH": str(tools / "gguf-py")}


def _failure(done: "subprocess.CompletedProcess[str]", source: Path) -> MedloraError:
    """The converter's stderr as an error a user can act on."""
    where, words = str(source), done.stderr
    if done.returncode == _KILLED or "MemoryError" in words:
        return ResourceError("memory ran out while converting", where=where, fix="close other programs")
    if "No space left on device" in words:
        return ResourceError("the disk is full: the GGUF needs two bytes a weight", where=where, fix="free space")
    if unknown := re.search(r"Model (\S+) is not supported", words):
        return UsageError(f"llama.cpp has no model of the kind {unknown[1]}", where=where, fix="set export type none")
    if "BPE pre-tokenizer was not recognized" in words:
        return UsageError(
            "the converter does not know this tokenizer's pre-tokenizer",
            where=where,
            fix="use the base model's tokenizer files unchanged: saving it again may have altered them",
        )
    return CorruptError(f"the converter refused the model: {_last_words(words)}", where=where)


def _last_words(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return lines[-1][:400] if lines else "it gave no reason"
