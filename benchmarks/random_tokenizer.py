"""A real SentencePiece tokenizer for models with random weights, trained on the repository's data files."""

import io
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sentencepiece
from gguf import TokenType

PACKAGE = Path(__file__).parents[1] / "medlora_edge"
CONTROL_TOKENS = ("<|im_start|>", "<|im_end|>")

# So that the answers people look for are whole pieces, whatever the data files say.
_ANSWERS = ("yes", "no", "maybe", "yes.", "no.", "maybe.", "(A)", "(B)", "(C)", "(D)", "(E)") * 8

_SYLLABLES = tuple(consonant + vowel for consonant in "bcdfghklmnprstvwxyz" for vowel in "aeiou")


@dataclass(frozen=True)
class Vocabulary:
    """Pieces with their scores (merge ranks, negative) and GGUF token types; the index is the token id."""

    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    types: tuple[TokenType, ...]

    def id_of(self, piece: str) -> int:
        """Token id of a piece. Raises ValueError if there is none."""
        return self.pieces.index(piece)


def vocabulary(size: int) -> Vocabulary:
    """Byte-pair pieces with byte fallback, filled up to `size` with unique made-up words.

    The same data files give the same vocabulary.
    """
    trained = sentencepiece.SentencePieceProcessor(model_proto=train(size))
    ids = range(trained.get_piece_size())
    pieces = [trained.id_to_piece(token) for token in ids]
    known = set(pieces)
    words = (word for word in _made_up_words() if word not in known)
    fillers = list(itertools.islice(words, size - len(pieces)))
    scores = [trained.get_score(token) for token in ids]
    filler_scores = [min(scores) - rank for rank in range(1, len(fillers) + 1)]
    types = [_token_type(trained, token) for token in ids]
    return Vocabulary(
        pieces=(*pieces, *fillers),
        scores=(*scores, *filler_scores),
        types=(*types, *[TokenType.NORMAL] * len(fillers)),
    )


def train(size: int) -> bytes:
    """SentencePiece model of at most `size` pieces; fewer when the text has no more to merge."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=_sentences(),
        model_writer=model,
        model_type="bpe",
        vocab_size=size,
        hard_vocab_limit=False,
        byte_fallback=True,
        split_digits=True,
        control_symbols=list(CONTROL_TOKENS),
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


def _sentences() -> Iterator[str]:
    yield from _ANSWERS
    for file in sorted(PACKAGE.rglob("*.json")):
        for text in _texts(json.loads(file.read_text(encoding="utf-8"))):
            yield from text.splitlines()


def _texts(value: object) -> Iterator[str]:
    match value:
        case str() if " " in value:
            yield value
        case dict():
            yield from _texts(list(value.values()))
        case list():
            for item in value:
                yield from _texts(item)


def _made_up_words() -> Iterator[str]:
    for first in _SYLLABLES:
        for second in _SYLLABLES:
            for third in _SYLLABLES:
                yield f"▁{first}{second}{third}"


def _token_type(trained: sentencepiece.SentencePieceProcessor, token: int) -> TokenType:
    if trained.is_unknown(token):
        return TokenType.UNKNOWN
    if trained.is_control(token):
        return TokenType.CONTROL
    if trained.is_byte(token):
        return TokenType.BYTE
    return TokenType.NORMAL
