"""The official converter as a program of its own: what it makes, what it is given, and its failures in words."""

import json
import os
import shutil
from pathlib import Path

import pytest

from build_tools.gguf.converter import convert
from build_tools.gguf.source_distribution import NAME
from medlora_edge.errors import CorruptError, ResourceError, UsageError
from medlora_edge.models.gguf_reader import read_header
from tests.build_tools.gguf.conftest import Files, Models


@pytest.fixture
def script(home: Path) -> Path:
    """Where the converter's main file belongs; the test writes it."""
    place = home / "data" / "converter" / NAME / "vendor" / "llama.cpp" / "convert_hf_to_gguf.py"
    place.parent.mkdir(parents=True)
    return place


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What looks like a model folder from outside."""
    place = tmp_path / "model"
    place.mkdir()
    (place / "config.json").write_text("{}")
    return place


def test_matrices_become_f16_and_nothing_else_is_left_behind(files: Files) -> None:
    types = read_header(files.tuned.f16).tensor_types
    assert types == {"F16": 16, "F32": 5}
    assert {file.suffix for file in files.tuned.f16.parent.iterdir()} == {".gguf"}


def test_without_the_converter_the_command_that_gets_it_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="medlora-build fetch converter"):
        convert(folder, tmp_path / "out.gguf")


def test_a_folder_without_a_model_is_refused(converter: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no Hugging Face model"):
        convert(tmp_path, tmp_path / "out.gguf")


def test_an_architecture_that_llama_cpp_lacks_is_named(converter: Path, folder: Path, tmp_path: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"architectures": ["FancyForCausalLM"], "model_type": "fancy"}))
    with pytest.raises(UsageError, match="FancyForCausalLM"):
        convert(folder, tmp_path / "out.gguf")


def test_damaged_weights_leave_no_gguf(converter: Path, models: Models, tmp_path: Path) -> None:
    broken = shutil.copytree(models.merged, tmp_path / "broken")
    os.truncate(broken / "model.safetensors", 100_000)
    with pytest.raises(CorruptError, match="the converter refused the model"):
        convert(broken, tmp_path / "out.gguf")
    assert [entry.name for entry in tmp_path.iterdir() if "gguf" in entry.name] == []


def test_it_runs_offline_with_the_gguf_library_of_its_own_source(script: Path, folder: Path, tmp_path: Path) -> None:
    script.write_text("import json, os, sys\njson.dump(dict(os.environ), open(sys.argv[2], 'w'))\n")
    convert(folder, tmp_path / "out.gguf")
    environment = json.loads((tmp_path / "out.gguf").read_text())
    assert environment["HF_HUB_OFFLINE"] == environment["TRANSFORMERS_OFFLINE"] == "1"
    assert Path(environment["PYTHONPATH"]) == script.parent / "gguf-py"


@pytest.mark.parametrize(
    ("last_words", "error", "words"),
    [
        ("print('Traceback'); sys.exit('ValueError: vocabulary too large')", CorruptError, "vocabulary too large"),
        ("sys.exit('OSError: [Errno 28] No space left on device')", ResourceError, "the disk is full"),
        ("raise MemoryError", ResourceError, "memory ran out"),
        ("os.kill(os.getpid(), 9)", ResourceError, "memory ran out"),
        ("raise NotImplementedError('BPE pre-tokenizer was not recognized - ...')", UsageError, "pre-tokenizer"),
        ("pass", CorruptError, "no reason"),
    ],
)
def test_its_failures_become_errors_with_a_meaning(
    script: Path, folder: Path, tmp_path: Path, last_words: str, error: type[Exception], words: str
) -> None:
    script.write_text(f"import os, sys\n{last_words}\n")
    with pytest.raises(error, match=words):
        convert(folder, tmp_path / "out.gguf")
    assert not (tmp_path / "out.gguf").exists()
