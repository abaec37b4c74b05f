"""Training and runtime read the same chat as the same tokens, or the export fails."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import pytest

from build_tools.gguf.converter import convert
from build_tools.gguf.identity import check
from build_tools.gguf.probes import probes
from medlora_edge.errors import CorruptError, UsageError
from tests.build_tools.gguf.conftest import Files, Models


@pytest.fixture
def folder(models: Models, tmp_path: Path) -> Path:
    """A copy of the merged model's folder, to be spoilt."""
    return shutil.copytree(models.merged, tmp_path / "folder")


def edited(file: Path, changes: dict[str, object]) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_fifty_different_chats_come_out_the_same(models: Models, files: Files) -> None:
    assert len(set(probes())) == 50
    report = check(models.merged, files.tuned.f16, probes())
    assert report.passed
    assert report.measures[0].value == 50


def test_quantising_changes_nothing_here(models: Models, files: Files) -> None:
    assert check(models.merged, files.tuned.quantised, probes()).passed


def test_one_more_space_in_the_template_is_caught(folder: Path, files: Files) -> None:
    file = folder / "chat_template.jinja"
    file.write_text(file.read_text().replace("'assistant", "' assistant") + " ")
    with pytest.raises(CorruptError, match="byte for byte"):
        check(folder, files.tuned.f16, probes())


def test_a_stale_template_in_the_tokenizer_config_is_caught(folder: Path, files: Files) -> None:
    edited(folder / "tokenizer_config.json", {"chat_template": "{{ messages }}"})
    with pytest.raises(UsageError, match=r"another one than chat_template\.jinja"):
        check(folder, files.tuned.f16, probes())


def test_of_several_templates_the_default_one_counts(folder: Path, files: Files) -> None:
    template = folder / "chat_template.jinja"
    several = [{"name": "tool_use", "template": "{{ tools }}"}, {"name": "default", "template": template.read_text()}]
    edited(folder / "tokenizer_config.json", {"chat_template": several})
    template.unlink()
    assert check(folder, files.tuned.f16, probes()).passed


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"add_bos_token": False}, "differently from token 0"),
        ({"eos_token": "<pad>"}, "ends with token 2, the tokenizer with 3"),
    ],
)
def test_a_changed_tokenizer_is_caught(folder: Path, files: Files, changes: dict[str, object], words: str) -> None:
    edited(folder / "tokenizer_config.json", changes)
    with pytest.raises(CorruptError, match=words):
        check(folder, files.tuned.f16, probes())


def test_a_stop_token_that_the_runtime_does_not_know_is_caught(folder: Path, files: Files) -> None:
    edited(folder / "generation_config.json", {"eos_token_id": [2, 77]})
    with pytest.raises(CorruptError, match="token 77"):
        check(folder, files.tuned.f16, probes())


def _set(key: str, value: int) -> Callable[[Any], None]:
    def change(fields: Any) -> None:
        fields[key].parts[fields[key].data[0]][0] = value

    return change


def _normal_marker(fields: Any) -> None:
    types = fields["tokenizer.ggml.token_type"]
    types.parts[types.data[4]][0] = gguf.TokenType.NORMAL


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_set("tokenizer.ggml.add_bos_token", 0), "differently from token 0"),
        (_set("tokenizer.ggml.add_space_prefix", 1), "differently from token"),
        (_set("tokenizer.ggml.eos_token_id", 3), "ends with token 3, the tokenizer with 2"),
        (_normal_marker, "'<|im_start|>' is no control token"),
    ],
)
def test_a_changed_gguf_is_caught(
    models: Models, files: Files, tmp_path: Path, change: Callable[[Any], None], words: str
) -> None:
    changed = Path(shutil.copyfile(files.tuned.f16, tmp_path / "changed.gguf"))
    reader = gguf.GGUFReader(changed, "r+")
    change(reader.fields)
    reader.data.flush()
    with pytest.raises(CorruptError) as caught:
        check(models.merged, changed, probes())
    assert words in str(caught.value)


def test_user_defined_chatml_tokens_that_are_not_declared_again_are_caught(
    folder: Path, converter: Path, tmp_path: Path
) -> None:
    """The converter makes normal tokens of them, which the runtime would split without a word."""
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto.FromString((folder / "tokenizer.model").read_bytes())
    for piece in proto.pieces:
        if piece.piece.startswith("<|im_"):
            piece.type = proto.SentencePiece.USER_DEFINED
    (folder / "tokenizer.model").write_bytes(proto.SerializeToString())
    edited(folder / "tokenizer_config.json", {"added_tokens_decoder": {}})
    convert(folder, tmp_path / "out.gguf")
    with pytest.raises(CorruptError, match="no control token in the GGUF"):
        check(folder, tmp_path / "out.gguf", probes())
