"""What was trained is what the runtime reads: the same template, token ids, one BOS, and tokens that end a turn."""

import re
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from build_tools.data.model_files import read_json, template_source
from build_tools.data.template import ChatTokenizer
from build_tools.gates.report import GateReport, Measure
from build_tools.gguf.logits import load
from medlora_edge.engine.protocol import Message
from medlora_edge.errors import CorruptError
from medlora_edge.models.gguf_header import GgufHeader
from medlora_edge.models.gguf_reader import read_header

if TYPE_CHECKING:
    from medlora_edge.engine.native import Weights
    from medlora_edge.engine.tokens import Tokenizer

_CONTROL = 3  # of llama.cpp's token types
_MARKER = re.compile(r"<\|[^<>|\s]+\|>")
_FIX = "mend the tokenizer files of the model folder, then convert it again"


def check(model: Path, gguf: Path, probes: Sequence[tuple[Message, ...]]) -> GateReport:
    """Compare the Hugging Face folder `model` with the GGUF made from it.

    Raises CorruptError that says what differs, and at which token, marker or chat; and what `template_source` raises.
    """
    from medlora_edge.engine.prompts import Prompter

    header = read_header(gguf)
    template = _same_template(model, header)
    _markers_are_control_tokens(template, header)
    trained = ChatTokenizer(model)
    with _runtime(gguf) as weights:
        prompter = Prompter(weights)
        _same_stops(model, trained, prompter.tokenizer, gguf)
        _no_text_stops(trained, prompter.tokenizer, weights.n_vocab, gguf)
        for chat in probes:
            asked = prompter.prompt(chat).tokens
            _same_tokens(chat, trained.prompt(chat), asked, gguf)
            _one_bos(asked, weights, gguf)
    passed = Measure(name="chats with the same tokens", value=len(probes), limit=len(probes), side="at least")
    return GateReport(hop="template and tokens", measures=(passed,))


def _same_template(model: Path, header: GgufHeader) -> str:
    """The template of folder and GGUF, "" without any (the runtime then takes ChatML)."""
    stored = header.text("tokenizer.chat_template")
    if stored != (template_source(model) or ""):
        what = "the chat template in the GGUF is not, byte for byte, the one that was trained with"
        raise CorruptError(what, where=str(header.path), fix=_FIX)
    return stored


def _markers_are_control_tokens(template: str, header: GgufHeader) -> None:
    """Otherwise llama.cpp splits them into pieces of text, without a word."""
    markers = set(_MARKER.findall(template or "<|im_start|><|im_end|>"))
    pieces = header.strings("tokenizer.ggml.tokens") or ()
    types = header.values.get("tokenizer.ggml.token_type")
    for token, piece in enumerate(pieces):
        marker = piece.decode(errors="replace")
        if marker in markers and (not isinstance(types, array) or types[token] != _CONTROL):
            raise CorruptError(
                f"the template's marker {marker!r} is no control token in the GGUF: the runtime would split it",
                where=f"{header.path}, token {token}",
                fix="declare it as a special added token in tokenizer_config.json (added_tokens_decoder)",
            )


@contextmanager
def _runtime(gguf: Path) -> Iterator["Weights"]:
    weights = load(gguf)
    try:
        yield weights
    finally:
        weights.close()


def _same_stops(model: Path, trained: ChatTokenizer, runtime: "Tokenizer", gguf: Path) -> None:
    """Every token that ends an answer in training ends it at run time."""
    vocabulary = trained.vocabulary
    if runtime.end_of_turn != vocabulary.eos:
        what = f"the GGUF ends with token {runtime.end_of_turn}, the tokenizer with {vocabulary.eos}"
        raise CorruptError(what, where=f"{gguf}, key 'tokenizer.ggml.eos_token_id'", fix=_FIX)
    for token in (trained.end_of_turn, *_generation_stops(model)):
        if not runtime.ends_turn(token):
            what = f"token {token} ({vocabulary.text_of(token)!r}) ends an answer in training, not at run time"
            raise CorruptError(what, where=str(gguf), fix="name it as eos_token in tokenizer_config.json")


def _no_text_stops(trained: ChatTokenizer, runtime: "Tokenizer", n_vocab: int, gguf: Path) -> None:
    controls = trained.vocabulary.control_texts
    for token in filter(runtime.ends_turn, range(n_vocab)):
        text = runtime.text_of(token)
        if not (controls and controls.fullmatch(text)):
            what = f"token {token} ({text!r}) ends an answer at run time and is plain text in training"
            raise CorruptError(what, where=str(gguf), fix=_FIX)


def _generation_stops(model: Path) -> list[int]:
    stops: Any = read_json(model / "generation_config.json").get("eos_token_id")
    if stops is None:
        return []
    return stops if isinstance(stops, list) else [stops]


def _same_tokens(chat: tuple[Message, ...], trained: list[int], asked: list[int], gguf: Path) -> None:
    if trained == asked:
        return
    place = next((n for n, (one, other) in enumerate(zip(trained, asked, strict=False)) if one != other), -1)
    raise CorruptError(
        f"training and runtime tokenise a chat differently from token {place}: "
        f"{trained[place:][:6]} and {asked[place:][:6]}",
        where=f"{gguf}, chat {chat[-1].content[:60]!r}",
        fix=_FIX,
    )


def _one_bos(asked: list[int], weights: "Weights", gguf: Path) -> None:
    count = asked.count(weights.bos)
    if count > 1 or (weights.adds_bos and asked[0] != weights.bos):
        raise CorruptError(f"a prompt has {count} BOS tokens instead of one", where=str(gguf), fix=_FIX)
