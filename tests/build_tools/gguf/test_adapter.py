"""An adapter becomes a GGUF only where llama.cpp applies it as it was trained."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from build_tools.bases import origin
from build_tools.gguf.adapter import convert_adapter
from medlora_edge.errors import CorruptError, UsageError
from medlora_edge.models.gguf_reader import read_header
from tests.build_tools.gguf.conftest import Files, Models

Tensors = dict[str, Any]


@pytest.fixture
def adapter(models: Models, tmp_path: Path) -> Path:
    """A copy of a sound adapter, to be spoilt."""
    return shutil.copytree(models.adapter, tmp_path / "adapter")


def test_no_path_of_this_machine_gets_into_the_gguf(models: Models, files: Files) -> None:
    assert (models.adapter / "README.md").is_file()
    for file in (files.adapter, files.tuned.quantised):
        head = file.read_bytes()[: read_header(file).data_start]
        assert str(models.base.parent).strip("/").encode() not in head


def test_a_plain_adapter_has_its_matrices_and_alpha(files: Files) -> None:
    header = read_header(files.adapter)
    assert header.values["adapter.lora.alpha"] == 16
    assert len(header.tensors) == 2 * 7 * 2
    assert {tensor.type.name for tensor in header.tensors} == {"F32"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("use_rslora", True),
        ("use_dora", True),
        ("alpha_pattern", {"q_proj": 32}),
        ("rank_pattern", {"q_proj": 4}),
        ("layer_replication", [[0, 2], [1, 2]]),
        ("alora_invocation_tokens", [5, 6]),
        ("modules_to_save", ["lm_head"]),
        ("trainable_token_indices", [5, 6]),
        ("bias", "all"),
        ("lora_bias", True),
        ("fan_in_fan_out", True),
        ("init_lora_weights", "pissa"),
        ("peft_type", "IA3"),
        ("use_qalora", True),
        ("a_variant_of_next_year", {"x": 1}),
    ],
)
def test_what_llama_cpp_would_apply_wrongly_is_refused(
    adapter: Path, models: Models, tmp_path: Path, key: str, value: object
) -> None:
    file = adapter / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {key: value}))
    with pytest.raises(UsageError, match=f"cannot ship as a GGUF: {key} is "):
        convert_adapter(adapter, models.base, tmp_path / "out.gguf")
    assert not (tmp_path / "out.gguf").exists()


def test_an_adapter_that_lies_on_another_is_refused(adapter: Path, models: Models, tmp_path: Path) -> None:
    origin.write(adapter, origin.Origin(base_sha256="0" * 64, adapters=("1" * 64,), load_bits=4))
    with pytest.raises(UsageError, match="on top of 1 earlier"):
        convert_adapter(adapter, models.base, tmp_path / "out.gguf")
    assert not (tmp_path / "out.gguf").exists()


def test_a_place_that_is_not_there_is_named(models: Models, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder") as refused:
        convert_adapter(models.adapter, models.base, tmp_path / "gone" / "out.gguf")
    assert refused.value.where == str(tmp_path / "gone")


def test_an_adapter_of_gpt2_is_refused(adapter: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(UsageError, match="GPT-2"):
        convert_adapter(adapter, tmp_path, tmp_path / "out.gguf")


def _rename(tensors: Tensors, new: str) -> None:
    tensors[new] = tensors.pop(min(tensors))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda tensors: _rename(tensors, "base_model.model.lm_head.lora_A.weight"), "lm_head"),
        (lambda tensors: _rename(tensors, "base_model.model.model.embed_tokens.weight"), "embed_tokens"),
        (lambda tensors: _rename(tensors, "base_model.model.x.lora_magnitude_vector"), "neither A nor B"),
    ],
)
def test_tensors_beyond_a_and_b_are_refused(
    adapter: Path, models: Models, tmp_path: Path, spoil: Callable[[Tensors], None], words: str
) -> None:
    from safetensors.numpy import load_file, save_file

    file = adapter / "adapter_model.safetensors"
    tensors = load_file(file)
    spoil(tensors)
    save_file(tensors, file)
    with pytest.raises(UsageError, match=words):
        convert_adapter(adapter, models.base, tmp_path / "out.gguf")


@pytest.mark.parametrize("content", [b"", b"\x05\x00\x00\x00\x00\x00\x00\x00{", b"\x02\x00\x00\x00\x00\x00\x00\x00{}"])
def test_damaged_weights_are_refused(adapter: Path, models: Models, tmp_path: Path, content: bytes) -> None:
    (adapter / "adapter_model.safetensors").write_bytes(content)
    with pytest.raises(CorruptError):
        convert_adapter(adapter, models.base, tmp_path / "out.gguf")


def test_damaged_settings_are_refused(adapter: Path, models: Models, tmp_path: Path) -> None:
    (adapter / "adapter_config.json").write_text("{")
    with pytest.raises(CorruptError, match="JSON"):
        convert_adapter(adapter, models.base, tmp_path / "out.gguf")


def test_a_folder_without_an_adapter_is_refused(models: Models, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="missing"):
        convert_adapter(tmp_path, models.base, tmp_path / "out.gguf")
