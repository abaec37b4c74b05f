"""The generator of random models: same seed same bytes, real K-quants, a tokenizer that loses nothing."""

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import gguf
import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import random_model, random_tokenizer
from build_tools.gguf.quantise import histogram

TEXT = "Is aspirin an NSAID?\n\n  yes. It inhibits COX-1 (IC50 1.67 µM).\tmaybe 中文 😀"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_model.make("tiny", tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def llama(tiny: Path) -> Any:
    import llama_cpp

    logging.getLogger("llama-cpp-python").setLevel(logging.ERROR)
    return llama_cpp.Llama(str(tiny), n_ctx=256, n_threads=1, verbose=False)


@pytest.fixture(scope="module")
def trained() -> sentencepiece.SentencePieceProcessor:
    return sentencepiece.SentencePieceProcessor(model_proto=random_tokenizer.train(2048))


def metadata(path: Path) -> dict[str, Any]:
    return {name: field.contents() for name, field in gguf.GGUFReader(path).fields.items()}


def test_one_seed_gives_the_same_bytes_and_another_gives_others(tiny: Path, tmp_path: Path) -> None:
    again = random_model.make("tiny", tmp_path / "again")
    other = random_model.make("tiny", tmp_path / "other", seed=1)
    assert again.read_bytes() == tiny.read_bytes() != other.read_bytes()


def test_the_folder_holds_one_small_model_and_no_leftovers(tiny: Path) -> None:
    assert [entry.name for entry in tiny.parent.iterdir()] == ["model.gguf"]
    assert 1_000_000 < tiny.stat().st_size < 8_000_000


def test_most_matrices_really_are_q3_k(tiny: Path) -> None:
    types = histogram(tiny)
    assert types["Q3_K"] > types["Q5_K"] > types["Q6_K"] == 1
    assert types["F32"] == 2 * random_model.SHAPES["tiny"].layers + 1
    assert types["F16"] == 0


def test_the_file_says_that_it_is_untrained(tiny: Path) -> None:
    fields = metadata(tiny)
    assert fields["medlora.untrained"] is True
    assert fields["general.name"] == "medlora-tiny-untrained"
    assert "random weights" in fields["general.description"]
    assert fields["llama.context_length"] == 4096
    assert "<|im_start|>" in fields["tokenizer.chat_template"]
    tokens = fields["tokenizer.ggml.tokens"]
    assert tokens[fields["tokenizer.ggml.eos_token_id"]] == "<|im_end|>"
    assert tokens[fields["tokenizer.ggml.bos_token_id"]] == "<s>"


def test_only_what_ends_an_answer_is_never_likely(tiny: Path) -> None:
    output = next(tensor for tensor in gguf.GGUFReader(tiny).tensors if tensor.name == "output.weight")
    rows = gguf.quants.dequantize(output.data, output.tensor_type)
    tokens = metadata(tiny)["tokenizer.ggml.tokens"]
    assert {tokens[number] for number, row in enumerate(rows) if not row.any()} == {"</s>", "<|im_end|>"}


@pytest.mark.parametrize("shape", random_model.SHAPES.values(), ids=random_model.SHAPES)
def test_every_row_takes_k_quants(shape: random_model.Shape) -> None:
    assert shape.hidden % 256 == 0
    assert shape.feed_forward % 256 == 0
    assert shape.heads % shape.kv_heads == 0


@pytest.mark.parametrize("size", [600, 2048, 32_000])
def test_vocabulary_has_the_size_asked_for_and_no_piece_twice(size: int) -> None:
    words = random_tokenizer.vocabulary(size)
    assert len(words.pieces) == len(set(words.pieces)) == len(words.scores) == len(words.types) == size
    assert sum(kind is gguf.TokenType.BYTE for kind in words.types) == 256
    assert list(words.scores[-100:]) == sorted(words.scores[-100:], reverse=True)


def test_control_tokens_are_one_token_where_they_are_meant_and_text_elsewhere(llama: Any) -> None:
    for text in random_tokenizer.CONTROL_TOKENS:
        assert len(llama.tokenize(text.encode(), add_bos=False, special=True)) == 1
        as_text = llama.tokenize(text.encode(), add_bos=False, special=False)
        assert len(as_text) > 1
        assert llama.detokenize(as_text).decode().strip() == text


@settings(max_examples=200, deadline=None)
@given(text=st.just(TEXT) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="▁")))
def test_llama_cpp_tokenises_as_sentencepiece_and_back(
    text: str,
    llama: Any,
    trained: sentencepiece.SentencePieceProcessor,
) -> None:
    tokens = llama.tokenize(text.encode(), add_bos=False, special=False)
    assert tokens == trained.encode(text)
    assert llama.detokenize(tokens).decode() == (f" {text}" if text else "")


def test_llama_cpp_generates_from_it_and_the_prompt_matters(llama: Any) -> None:
    answers = [
        llama.create_chat_completion([{"role": "user", "content": text}], temperature=0.0, max_tokens=12)
        for text in ("Is aspirin an NSAID?", "Is paracetamol an opioid?", TEXT)
    ]
    texts = {answer["choices"][0]["message"]["content"] for answer in answers}
    assert len(texts) == 3
    assert all(text.strip() for text in texts)


def test_command_line_writes_the_model_and_says_what_it_is(tiny: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.random_model"]
    run = subprocess.run(
        [*command, "tiny", "--out", tmp_path / "new" / "folder"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "untrained" in run.stdout
    assert run.stderr == ""
    assert (tmp_path / "new" / "folder" / "model.gguf").read_bytes() == tiny.read_bytes()
