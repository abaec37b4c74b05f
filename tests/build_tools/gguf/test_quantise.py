"""Quantising with llama.cpp: the types that come out, and what it refuses."""

from pathlib import Path

import pytest

from build_tools.gguf.quantise import fallback_share, histogram, quantise
from medlora_edge.errors import CorruptError
from medlora_edge.models.gguf_reader import read_header
from tests.build_tools.gguf.conftest import Files


def test_q3_k_l_is_what_its_name_promises(files: Files) -> None:
    types = {tensor.name: tensor.type.name for tensor in read_header(files.tuned.quantised).tensors}
    assert types["output.weight"] == "Q6_K"
    assert types["token_embd.weight"] == "Q3_K"
    for kind in ("attn_v", "attn_output", "ffn_down"):
        assert types[f"blk.0.{kind}.weight"] == "Q5_K"
    for kind in ("attn_q", "attn_k", "ffn_gate", "ffn_up"):
        assert types[f"blk.0.{kind}.weight"] == "Q3_K"
    assert histogram(files.tuned.quantised) == {"Q3_K": 9, "Q5_K": 6, "F32": 5, "Q6_K": 1}
    assert fallback_share(files.tuned.quantised) == 0


@pytest.mark.parametrize("kind", ["Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0"])
def test_every_type_of_the_recipe_can_be_made(files: Files, tmp_path: Path, kind: str) -> None:
    quantise(files.tuned.f16, tmp_path / "out.gguf", kind)
    assert read_header(tmp_path / "out.gguf").quantisation == kind
    assert fallback_share(tmp_path / "out.gguf") == 0
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_file()] == ["out.gguf"]


def test_a_file_that_was_not_quantised_is_all_fallback(files: Files) -> None:
    assert fallback_share(files.tuned.f16) == 1


def test_a_damaged_file_is_refused_in_llama_cpps_words(files: Files, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(files.tuned.f16.read_bytes()[:200_000])
    with pytest.raises(CorruptError, match="cannot quantise this file: "):
        quantise(cut, tmp_path / "out.gguf", "Q3_K_L")
    assert not (tmp_path / "out.gguf").exists()
