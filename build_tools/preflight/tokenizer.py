"""Whether a base's tokenizer and chat template survive the way into a GGUF, and mean the same in the runtime."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, NonNegativeInt, ValidationError

from build_tools.bases.architectures import name_of
from build_tools.data.foreign import first_problem
from build_tools.data.model_files import read_json, template_source, token_text
from build_tools.preflight.problem import Problem
from medlora_edge.engine.chat_template import TemplateError, chat_template, render
from medlora_edge.engine.protocol import Message, Role
from medlora_edge.errors import CorruptError, ExitCode, UsageError

SENTENCEPIECE = "tokenizer.model"
FAST = "tokenizer.json"
BYTE_PAIRS_ONLY = ("GPT2LMHeadModel", "FalconForCausalLM")
PIECES_ONLY = ("GemmaForCausalLM",)
USER_DEFINED = 4  # SentencePiece's type of a piece, sentencepiece_model.proto


class _Model(BaseModel):
    vocab: dict[str, NonNegativeInt] | list[Any] = {}
    byte_fallback: bool | None = None
    ignore_merges: bool | None = None


class _Added(BaseModel):
    id: NonNegativeInt


class _Fast(BaseModel):
    """What is read of a tokenizer.json."""

    model: _Model = _Model()
    added_tokens: tuple[_Added, ...] = ()


class _Declared(BaseModel):
    content: str


class _Settings(BaseModel):
    """What is read of a tokenizer_config.json."""

    added_tokens_decoder: dict[str, _Declared] = {}


_Parts = TypeVar("_Parts", bound=BaseModel)

CHAT = (Message(role=Role.SYSTEM, content="Be brief."), Message(role=Role.USER, content="Is it so?"))


def check_tokenizer(config: Mapping[str, Any], folder: Path) -> list[Problem]:
    """What the converter would stop at, or would silently turn into another tokenizer."""
    return [*_vocabulary(config, folder), *_kind(config, folder), *_undeclared(folder)]


def check_template(folder: Path | None, replacement: str | None) -> list[Problem]:
    """Render a chat with the template that the model will have, in the runtime's own sandbox."""
    try:
        source = replacement if replacement is not None else template_source(folder) if folder else None
        values = read_json(folder / "tokenizer_config.json") if folder else {}
        template = chat_template(source, bos=token_text(values, "bos") or "", eos=token_text(values, "eos") or "")
        render(template, CHAT)
    except (TemplateError, UsageError, CorruptError) as error:
        return [Problem.of(error)]
    return []


def byte_pair_hash(folder: Path) -> str:
    """The hash by which the converter knows a byte-pair tokenizer: of a fixed text's token ids."""
    from transformers import AutoTokenizer

    text = _known()["text"]
    ids = AutoTokenizer.from_pretrained(folder, local_files_only=True).encode(text)
    return hashlib.sha256(str(ids).encode()).hexdigest()


def _known() -> dict[str, Any]:
    values: dict[str, Any] = json.loads(Path(__file__).with_name("pretokenizers.json").read_text(encoding="utf-8"))
    return values


def _vocabulary(config: Mapping[str, Any], folder: Path) -> Iterator[Problem]:
    size = _largest_id(folder) + 1
    if size > config["vocab_size"]:
        what = f"the tokenizer has {size} tokens, the model rows for {config['vocab_size']}: the converter stops there"
        yield _broken(what, folder / FAST)


def _largest_id(folder: Path) -> int:
    """The highest token id of tokenizer.json; -1 without one."""
    tokenizer = _read(folder / FAST, _Fast)
    vocabulary = tokenizer.model.vocab
    known = vocabulary.values() if isinstance(vocabulary, dict) else range(len(vocabulary))
    return max((*known, *(token.id for token in tokenizer.added_tokens)), default=-1)


def _read(file: Path, kind: type[_Parts]) -> _Parts:
    try:
        return kind.model_validate(read_json(file))
    except ValidationError as error:
        raise CorruptError(first_problem(error), where=str(file), fix="get the model again") from error


def _kind(config: Mapping[str, Any], folder: Path) -> Iterator[Problem]:
    """The converter takes SentencePiece pieces where it finds them, except for the older byte-pair architectures."""
    architecture = name_of(config)
    has_pieces = (folder / SENTENCEPIECE).is_file()
    if architecture in PIECES_ONLY and not has_pieces:
        yield _broken(f"the converter needs the SentencePiece model of {architecture}", folder / SENTENCEPIECE,
                      fix="get tokenizer.model from where the base came")  # fmt: skip
    elif architecture in BYTE_PAIRS_ONLY or not (has_pieces or _has_byte_fallback(folder)):
        found = byte_pair_hash(folder)
        if found not in _known()["known"]:
            what = f"the converter does not know this byte-pair tokenizer (hash {found[:16]})"
            yield _broken(what, folder / FAST, fix="use the base's tokenizer as it was published, or another base")


def _has_byte_fallback(folder: Path) -> bool:
    """Whether tokenizer.json holds pieces in the manner of SentencePiece, which the converter needs no hash for."""
    model = _read(folder / FAST, _Fast).model
    return bool(model.byte_fallback) and not model.ignore_merges


def _undeclared(folder: Path) -> Iterator[Problem]:
    """User-defined pieces leave the converter as normal tokens unless they are declared as added tokens too."""
    if not (folder / SENTENCEPIECE).is_file():
        return
    settings = _read(folder / "tokenizer_config.json", _Settings)
    declared = {token.content for token in settings.added_tokens_decoder.values()}
    declared |= read_json(folder / "added_tokens.json").keys()
    for piece in _user_defined(folder / SENTENCEPIECE):
        if piece.startswith("<") and piece not in declared:
            what = f"{piece} is a user-defined piece that is not declared as an added token: the runtime would split it"
            yield _broken(what, folder / "tokenizer_config.json", fix="declare it in `added_tokens_decoder`")


def _user_defined(file: Path) -> list[str]:
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from sentencepiece import sentencepiece_model_pb2

    model = sentencepiece_model_pb2.ModelProto()
    try:
        model.ParseFromString(file.read_bytes())
    except DecodeError as error:
        raise CorruptError("not a SentencePiece model", where=str(file), fix="get the model again") from error
    return [piece.piece for piece in model.pieces if piece.type == USER_DEFINED]


def _broken(what: str, file: Path, *, fix: str | None = None) -> Problem:
    return Problem(severity="error", what=what, where=str(file), fix=fix, exit_code=ExitCode.CORRUPT)
