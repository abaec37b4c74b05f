"""A base's tokenizer as the runtime will use it: control tokens in foreign text are text, never more than one BOS."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from build_tools.data.model_files import read_json, token_text
from medlora_edge.engine.chat_template import Part, control_pattern
from medlora_edge.errors import CorruptError, UsageError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# The official converter makes control tokens of these even where the tokenizer calls them ordinary added ones
# (does_token_look_special in its conversion/base.py).
_LOOKS_SPECIAL = re.compile(r"<pad>|<mask>|<2mass>|\[@BOS@\]|<\|.*\|>|<\uff5c.*\uff5c>|<unused.*>", re.DOTALL)

# llama.cpp makes control tokens of these wherever a vocabulary has them (llama-vocab.cpp, "control-looking token").
_ENDS_A_TURN = """
<|eot_id|> <|im_end|> <|end|> <|return|> <|call|> <|flush|> <|calls|> <end_of_turn> <|endoftext|> </s> <|eom_id|>
<EOT> _<EOT> [EOT] [EOS] <|end_of_text|> <end_of_utterance> <eos> <turn|> <|tool_response> [e~[
<\uff5cend▁of▁sentence\uff5c>
"""


class Vocabulary:
    """Tokens of a Hugging Face model folder.

    `bos`, `eos`: token ids, None where the base names none; `adds_bos`: whether every text begins with BOS.
    `control_texts` finds the texts of control tokens. Raises UsageError without a tokenizer.json, CorruptError for a
    damaged one.
    """

    def __init__(self, base: Path) -> None:
        self._path = base / "tokenizer.json"
        description = _as_llama_cpp_reads(read_json(self._path))
        if not description:
            fix = "load the base's tokenizer in transformers and save it into the folder"
            raise UsageError("the base has no tokenizer.json", where=str(base), fix=fix)
        config = read_json(base / "tokenizer_config.json")
        self._tokenizer = self._pipeline(description)
        controls = self._control_tokens(description)
        self._tokenizer.add_special_tokens(controls)
        self.control_texts = control_pattern(controls)
        self.bos = self._named("bos", config, base)
        self.eos = self._named("eos", config, base)
        self.adds_bos = self._begins_with_bos(config)

    def encode(self, text: str, *, special: bool) -> list[int]:
        """Tokens of `text` as they stand, no BOS added; `special`: whether control-token texts become tokens."""
        self._tokenizer.encode_special_tokens = not special
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def encode_prompt(self, parts: Sequence[Part]) -> list[int]:
        """Tokens of a rendered chat: exactly one BOS where the model wants one, whoever wrote it."""
        tokens = [token for part in parts for token in self.encode(part.text, special=part.special)]
        lead = 0
        while lead < len(tokens) and tokens[lead] == self.bos:
            lead += 1
        wanted = [self.bos] if self.bos is not None and (self.adds_bos or lead) else []
        return wanted + tokens[lead:]

    def id_of(self, text: str) -> int | None:
        """Id of the one token with this text, or None."""
        return self._tokenizer.token_to_id(text)

    def text_of(self, token: int | None) -> str:
        """A token as the vocabulary writes it; "" for None or an id that is not there."""
        return (self._tokenizer.id_to_token(token) or "") if token is not None else ""

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens, control tokens shown."""
        return self._tokenizer.decode(list(tokens), skip_special_tokens=False)

    def _pipeline(self, description: dict[str, Any]) -> "Tokenizer":
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_str(json.dumps(description))
        except Exception as error:  # the library raises nothing narrower
            raise CorruptError(f"not a usable tokenizer: {error}", where=str(self._path)) from error
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    def _control_tokens(self, description: dict[str, Any]) -> list[str]:
        added = [token["content"] for token in description.get("added_tokens") or [] if _is_control(token)]
        ends = [text for text in _ENDS_A_TURN.split() if self.id_of(text) is not None]
        return list(dict.fromkeys([*added, *ends]))

    def _named(self, kind: str, config: dict[str, Any], base: Path) -> int | None:
        """The token that the tokenizer's files name; else the one of the model's config, as the converter reads it."""
        text = token_text(config, kind)
        token = self.id_of(text) if text else None
        fallback = read_json(base / "config.json").get(f"{kind}_token_id")
        return token if token is not None else fallback if isinstance(fallback, int) else None

    def _begins_with_bos(self, config: dict[str, Any]) -> bool:
        declared = config.get("add_bos_token")
        if self.bos is None or isinstance(declared, bool):
            return bool(declared) and self.bos is not None
        return self._tokenizer.encode("a").ids[:1] == [self.bos]


def _as_llama_cpp_reads(description: dict[str, Any]) -> dict[str, Any]:
    """Without Unicode composition (NFC, Qwen2's normaliser): llama.cpp tokenises the characters as they come."""
    return {**description, "normalizer": None} if description.get("normalizer") == {"type": "NFC"} else description


def _is_control(token: dict[str, Any]) -> bool:
    return bool(token.get("special")) or _LOOKS_SPECIAL.fullmatch(token["content"]) is not None
