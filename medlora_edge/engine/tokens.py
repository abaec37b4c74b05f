"""Text to tokens and back. Control tokens in the user's words are text; there is never more than one BOS."""

import codecs
import ctypes
import re
from array import array
from collections.abc import Sequence
from functools import cached_property

import llama_cpp.llama_cpp as C  # noqa: N812 - the C interface, as every call below reads

from medlora_edge.engine.chat_template import Part, control_pattern
from medlora_edge.engine.native import Weights

REMEMBERED = 1 << 19  # tokens: a benchmark counts all of its prompts, a thousand of 500 each, before it asks the first


class Tokenizer:
    """The vocabulary of one model."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._vocab = weights.vocab
        self._buffer = ctypes.create_string_buffer(4096)
        self._encoded: dict[Part, Sequence[int]] = {}  # in the order of their last use
        self._n_encoded = 0
        self.end_of_turn = weights.eos

    def encode(self, text: str, *, special: bool) -> list[int]:
        """Tokens of `text` as they stand, no BOS added; `special`: whether control-token texts become tokens."""
        raw = text.encode(errors="replace")
        room = len(raw) + 8
        tokens = (C.llama_token * room)()
        n = C.llama_tokenize(self._vocab, raw, len(raw), tokens, room, False, special)
        if n < 0:
            raise ValueError(f"a text of {len(raw)} bytes became more than {room} tokens")
        return list(tokens[:n])

    def encode_prompt(self, parts: Sequence[Part]) -> list[int]:
        """Tokens of a rendered chat: exactly one BOS where the model wants one, whoever wrote it."""
        tokens = [token for part in parts for token in self._remembered(part)]
        bos = self._weights.bos
        lead = 0
        while lead < len(tokens) and tokens[lead] == bos:
            lead += 1
        wanted = 1 if self._weights.adds_bos or lead else 0
        return [bos] * wanted + tokens[lead:]

    def _remembered(self, part: Part) -> Sequence[int]:
        """Tokens of `part`; those of the parts used last are kept, `REMEMBERED` together."""
        if part in self._encoded:
            self._encoded[part] = tokens = self._encoded.pop(part)
            return tokens
        self._encoded[part] = tokens = array("i", self.encode(part.text, special=part.special))
        self._n_encoded += len(tokens)
        while self._n_encoded > REMEMBERED:
            self._n_encoded -= len(self._encoded.pop(next(iter(self._encoded))))
        return tokens

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """Bytes of one token; control tokens are empty unless `special`."""
        n = C.llama_token_to_piece(self._vocab, token, self._buffer, len(self._buffer), 0, special)
        if n < 0:
            self._buffer = ctypes.create_string_buffer(-n)
            return self.piece(token, special=special)
        return ctypes.string_at(self._buffer, n)

    def ends_turn(self, token: int) -> bool:
        """Whether the model ends its answer with this token."""
        return bool(C.llama_vocab_is_eog(self._vocab, token))

    def text_of(self, token: int) -> str:
        """A token's text with control tokens shown ("" for none), as templates name BOS and EOS."""
        return self.piece(token, special=True).decode(errors="replace") if token >= 0 else ""

    @cached_property
    def control_texts(self) -> re.Pattern[str] | None:
        """Finds every text that the vocabulary would read as a control token; None without any."""
        control = C.LLAMA_TOKEN_ATTR_CONTROL | C.LLAMA_TOKEN_ATTR_UNKNOWN
        return control_pattern(
            self.text_of(token)
            for token in range(self._weights.n_vocab)
            if C.llama_vocab_get_attr(self._vocab, token) & control
        )


class TextStream:
    """Joins token bytes into text and never gives out half a character."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.text = ""

    def feed(self, token: int) -> str:
        """The text that `token` completes, perhaps empty."""
        return self._take(self._decoder.decode(self._tokenizer.piece(token)))

    def finish(self) -> str:
        """What was left incomplete, as a replacement character."""
        return self._take(self._decoder.decode(b"", final=True))

    def _take(self, new: str) -> str:
        self.text += new
        return new
