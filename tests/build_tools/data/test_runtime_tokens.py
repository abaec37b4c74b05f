"""Training tokens are the runtime's: compared with the engine's own prompts, on real vocabularies of llama.cpp."""

import json
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as C  # noqa: N812
import pytest
from gguf import TokenType
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from build_tools.data.template import ChatTokenizer
from build_tools.gguf.converter import convert
from medlora_edge.engine.native import Weights
from medlora_edge.engine.prompts import Prompter
from medlora_edge.engine.protocol import Message
from medlora_edge.models.gguf_reader import read_header
from medlora_edge.tasks import Question, task
from tests.build_tools.data.makers import asked, write_base
from tests.engine.chats import reply

# As the tokenizer.json of these models has them; llama.cpp has its own hand-written code for each.
_QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_LLAMA3 = _QWEN2.replace(r"\p{N}|", r"\p{N}{1,3}|", 1)

INSTRUCT = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}[INST] {{ m['content'] }} [/INST]"
    "{% else %}{{ m['content'] }}{{ eos_token }}{% endif %}{% endfor %}"
)
ANSWERS = ("yes.", "maybe. 12.5 µg/dL\n\nwas enough", " (A) Ibuprofène", "<think>\nno\n</think>\n\nno.", "e\u0301té 🦙")


def chats() -> list[tuple[Message, ...]]:
    texts = [
        "Does it help?",
        "  two  spaces\n\n\ttab",
        "<|im_end|>\n<|im_start|>system",
        "<s></s><|eot_id|>",
        "e\u0301té 🦙 \uff14\uff12",
    ]
    question = Question("1", "Which drug?", ("Some 37.5 °C.", "None."), {"A": "Aspirin", "B": "Rest"})
    rendered = [task(name).messages(question) for name in ("ask", "pubmedqa", "multiple_choice")]
    return [*map(asked, texts), *rendered, reply(asked("Why?"), "Because <|im_end|>.", "Really?")]


def assert_same(tokenizer: ChatTokenizer, prompter: Prompter) -> None:
    for chat in chats():
        assert tokenizer.prompt(chat) == prompter.prompt(chat).tokens
        for answer in ANSWERS:
            ids, _ = tokenizer.example(chat, answer)
            assert ids[:-1] == prompter.with_candidate(chat, answer)
    assert prompter.tokenizer.ends_turn(tokenizer.end_of_turn)


class VocabularyOf(Weights):
    """A reference file of llama.cpp, which has no tensors, with a chat template beside it."""

    def __init__(self, path: Path, template: str | None) -> None:
        params = C.llama_model_default_params()
        params.vocab_only = True
        self._model: Any = C.llama_model_load_from_file(str(path).encode(), params)
        self._template = template
        self._read_vocabulary()

    def chat_template(self) -> str | None:
        return self._template

    @property
    def keeps_every_position(self) -> bool:
        return False


def hugging_face_tokenizer(path: Path, pattern: str | None) -> tuple[Tokenizer, list[str]]:
    """The tokenizer that the vocabulary file was made from, and its control tokens."""
    header = read_header(path)
    tokens = [text.decode() for text in header.strings("tokenizer.ggml.tokens") or ()]
    merges = header.strings("tokenizer.ggml.merges")
    types, scores = (header.values.get(f"tokenizer.ggml.{key}") for key in ("token_type", "scores"))
    assert isinstance(types, array)
    controls = {TokenType.CONTROL, TokenType.UNKNOWN}
    special = [token for token, kind in zip(tokens, types, strict=True) if kind in controls]
    ids = {token: number for number, token in enumerate(tokens)}
    if merges is None:
        assert isinstance(scores, array)
        return sentencepiece_bpe(ids, scores), special
    pairs = [(first, second) for first, _, second in (merge.decode().partition(" ") for merge in merges)]
    return byte_level_bpe(ids, pairs, pattern), special


def sentencepiece_bpe(ids: dict[str, int], scores: Sequence[float]) -> Tokenizer:
    """As Llama-2's and Mistral's tokenizer.json: merges in the order of the scores, a space before every text."""
    merges = [
        (-scores[number], ids[piece[:cut]], ids[piece[cut:]], piece[:cut], piece[cut:])
        for piece, number in ids.items()
        for cut in range(1, len(piece))
        if piece[:cut] in ids and piece[cut:] in ids
    ]
    ranked = [(first, second) for *_, first, second in sorted(merges)]
    tokenizer = Tokenizer(models.BPE(ids, ranked, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    return tokenizer


def byte_level_bpe(ids: dict[str, int], merges: list[tuple[str, str]], pattern: str | None) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(ids, merges, ignore_merges=pattern == _LLAMA3))
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=pattern is None)
    split = [pre_tokenizers.Split(Regex(pattern), "isolated")] if pattern else []
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*split, byte_level])
    tokenizer.decoder = decoders.ByteLevel()
    if pattern == _QWEN2:
        tokenizer.normalizer = normalizers.NFC()
    return tokenizer


@dataclass(frozen=True)
class Reference:
    """A vocabulary of llama.cpp: its pre-tokenizer's pattern, templates to try it with, and the model's settings."""

    name: str
    pattern: str | None
    templates: tuple[str, ...]
    config: dict[str, Any]


REFERENCES = (
    Reference("llama-spm", None, (), {"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": True}),
    Reference("gpt-2", None, (), {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}),
    Reference(
        "qwen2",
        _QWEN2,
        ("Qwen-Qwen2.5-7B-Instruct", "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B"),
        {"eos_token": "<|endoftext|>", "add_bos_token": False},
    ),
    Reference(
        "llama-bpe",
        _LLAMA3,
        ("meta-llama-Llama-3.1-8B-Instruct",),
        {"bos_token": "<|begin_of_text|>", "eos_token": "<|end_of_text|>", "add_bos_token": True},
    ),
)


@pytest.mark.sdist
@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference.name)
def test_reference_vocabularies_with_and_without_a_template(sdist: Path, tmp_path: Path, reference: Reference) -> None:
    folder = sdist / "vendor" / "llama.cpp" / "models"
    path = folder / f"ggml-vocab-{reference.name}.gguf"
    tokenizer, special = hugging_face_tokenizer(path, reference.pattern)
    base = write_base(tmp_path, tokenizer, special=special, **reference.config)
    if reference.name == "qwen2":  # names no BOS in its tokenizer, only in its model's config
        (base / "config.json").write_text(json.dumps({"bos_token_id": tokenizer.token_to_id("<|endoftext|>")}))
    assert_same(ChatTokenizer(base), Prompter(VocabularyOf(path, None)))
    sources = [(folder / "templates" / f"{name}.jinja").read_text() for name in reference.templates]
    for source in (INSTRUCT, *sources):
        (base / "chat_template.jinja").write_text(source)
        assert_same(ChatTokenizer(base), Prompter(VocabularyOf(path, source)))


@pytest.mark.sdist
def test_a_scratch_base_after_the_official_converter(scratch_base: Path, converter: Path, tmp_path: Path) -> None:
    target = tmp_path / "model.gguf"
    convert(scratch_base, target)
    weights = Weights(str(target), gpu_layers=0, on_progress=lambda _: None)
    assert_same(ChatTokenizer(scratch_base), Prompter(weights))
    weights.close()
