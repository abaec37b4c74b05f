"""Byte-pair tokenizers are known to the converter by a hash; our list is the pinned converter's own."""

import json
import re
from pathlib import Path

import gguf
import pytest

from build_tools.preflight import tokenizer
from build_tools.preflight.tokenizer import byte_pair_hash, check_tokenizer

pytestmark = pytest.mark.sdist

LLAMA_CPP = Path("vendor") / "llama.cpp"
KNOWN = Path(tokenizer.__file__).with_name("pretokenizers.json")


def test_the_list_is_the_pinned_converters(sdist: Path) -> None:
    source = (sdist / LLAMA_CPP / "conversion" / "base.py").read_text(encoding="utf-8")
    pairs = re.findall(r'if chkhsh == "([0-9a-f]{64})":\n(?:\s*#.*\n)*\s*res = "([^"]+)"', source)
    values = json.loads(KNOWN.read_text(encoding="utf-8"))
    assert values["known"] == dict(pairs)
    assert f"chktxt = {values['text']!r}" in source


def test_gpt2s_real_vocabulary_is_known(sdist: Path, tmp_path: Path) -> None:
    write_gpt2(sdist / LLAMA_CPP / "models" / "ggml-vocab-gpt-2.gguf", tmp_path)
    assert json.loads(KNOWN.read_text())["known"][byte_pair_hash(tmp_path)] == "gpt-2"
    config = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": 50_257}
    assert check_tokenizer(config, tmp_path) == []
    (found,) = check_tokenizer(config | {"vocab_size": 50_000}, tmp_path)
    assert "50257 tokens" in found.what


def write_gpt2(vocabulary: Path, folder: Path) -> None:
    """The tokenizer files of GPT-2, from llama.cpp's copy of its vocabulary."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    fields = gguf.GGUFReader(vocabulary).fields
    tokens, merges = (fields[f"tokenizer.ggml.{key}"].contents() for key in ("tokens", "merges"))
    pairs = [tuple(merge.split(" ", 1)) for merge in merges]
    built = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)}, pairs))
    built.pre_tokenizer, built.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    built.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "GPT2Tokenizer"}))
