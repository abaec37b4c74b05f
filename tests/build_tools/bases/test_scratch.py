"""A base from scratch: reproducible, whole or absent, and with ChatML tokens that survive conversion as such."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sentencepiece

from build_tools.bases import scratch
from build_tools.bases.scratch import SPECIAL_TOKENS
from build_tools.recipe.schema import Scratch
from medlora_edge.errors import UsageError
from tests.build_tools.conftest import TINY, sentences


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_the_same_text_and_seed_give_the_same_bytes(scratch_base: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "again", tmp_path / "other"
    scratch.make(TINY, sentences(), again, seed=0)
    scratch.make(TINY, sentences(), other, seed=1)
    assert files(again) == files(scratch_base)
    assert files(other)["tokenizer.model"] == files(scratch_base)["tokenizer.model"]
    assert files(other)["model.safetensors"] != files(scratch_base)["model.safetensors"]


def test_transformers_loads_it_and_knows_the_chatml_tokens(scratch_base: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(scratch_base)
    tokenizer = AutoTokenizer.from_pretrained(scratch_base)
    assert (model.config.hidden_size, model.config.vocab_size) == (TINY.hidden, TINY.vocabulary)
    assert model.get_output_embeddings().weight is not model.get_input_embeddings().weight
    assert tokenizer.encode("<|im_start|><|im_end|>") == [1, 4, 2]
    assert (tokenizer.bos_token, tokenizer.eos_token, tokenizer.pad_token) == ("<s>", "<|im_end|>", "<pad>")
    text = "Yes.\n\n  Two  spaces, é and 🦙 <|im_end|>\n"
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text


def test_its_special_tokens_are_control_pieces_and_declared_as_added_tokens(scratch_base: Path) -> None:
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(scratch_base / "tokenizer.model"))
    declared = json.loads((scratch_base / "tokenizer_config.json").read_text())["added_tokens_decoder"]
    for number, token in enumerate(SPECIAL_TOKENS):
        assert pieces.id_to_piece(number) == token
        assert pieces.is_control(number) or pieces.is_unknown(number)
        assert (declared[str(number)]["content"], declared[str(number)]["special"]) == (token, True)


def test_a_small_text_leaves_rows_unused_rather_than_failing(tmp_path: Path) -> None:
    scratch.make(TINY, ["yes no maybe " * 50], tmp_path / "base", seed=0)
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "base" / "tokenizer.model"))
    assert pieces.get_piece_size() < TINY.vocabulary
    assert json.loads((tmp_path / "base" / "config.json").read_text())["vocab_size"] == TINY.vocabulary


@pytest.mark.parametrize(
    "text", [[], ["".join(map(chr, range(0x4E00, 0x5200)))]], ids=["no text", "more characters than pieces"]
)
def test_text_that_gives_no_tokenizer_is_refused_and_leaves_nothing(text: list[str], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no tokenizer of 512 pieces"):
        scratch.make(TINY.model_copy(update={"vocabulary": 512}), text, tmp_path / "base", seed=0)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_files_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        scratch.make(TINY, sentences(), tmp_path, seed=0)
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("layout", ["mistral", "qwen2", "gemma", "gpt2", "falcon", "falcon-rw"])
def test_the_fixture_builds_every_layout(layout: str, tiny_bases: Callable[[str], Path]) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny_bases(layout))
    assert torch.isfinite(model(torch.tensor([[1, 4, 20, 21]])).logits).all()


def test_shapes_that_k_quants_do_not_fit_are_refused_by_the_schema() -> None:
    with pytest.raises(ValueError, match="multiple of 256"):
        Scratch.model_validate({**TINY.model_dump(), "hidden": 64})
