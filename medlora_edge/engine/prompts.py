"""From a chat to prompt tokens, and how much of them does not depend on the last turn's words."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from medlora_edge.engine.chat_template import ChatTemplate, Part, chat_template, render_parts
from medlora_edge.engine.native import Weights
from medlora_edge.engine.protocol import Message, Reuse
from medlora_edge.engine.tokens import Tokenizer

PROBES = ("A", "9")  # two last turns that share no first character


@dataclass(frozen=True)
class Prompt:
    """A rendered chat. `fixed`: length of the beginning that any last turn of this chat has in common."""

    tokens: list[int]
    text: str
    fixed: int

    @property
    def sha256(self) -> str:
        """Hash of the rendered text."""
        return hashlib.sha256(self.text.encode(errors="replace")).hexdigest()


class Prompter:
    """Renders and tokenises chats for one model."""

    def __init__(self, weights: Weights) -> None:
        self.tokenizer = Tokenizer(weights)
        self.template: ChatTemplate = chat_template(
            weights.chat_template(),
            bos=self.tokenizer.text_of(weights.bos),
            eos=self.tokenizer.text_of(weights.eos),
        )
        self._shares = weights.keeps_every_position
        self._parts = lru_cache(maxsize=4)(self._render_parts)
        self._fixed_tokens = lru_cache(maxsize=8)(self._common_beginning)

    def prompt(self, messages: tuple[Message, ...], reuse: Reuse = Reuse.FIXED, begun: str = "") -> Prompt:
        """Render and tokenise, with the words of an answer that is `begun`; `fixed` is 0 where nobody needs it.

        Raises TemplateError with its reason when the template refuses.
        """
        text, tokens = self._render(messages, begun)
        if reuse is Reuse.LONGEST:
            return Prompt(tokens, text, 0)
        fixed = self._fixed_tokens(messages[:-1], messages[-1].model_copy(update={"content": ""}))
        same = tokens[: len(fixed)] == fixed  # else the tokenizer merged across the border: nothing is shared
        return Prompt(tokens, text, len(fixed) if same and self._shares else 0)

    def with_candidate(self, messages: tuple[Message, ...], candidate: str) -> list[int]:
        """Tokens of the rendered chat with the beginning of an answer behind it, tokenised together."""
        return self._render(messages, candidate)[1]

    def stable(self, messages: tuple[Message, ...]) -> list[int]:
        """Tokens of the chat's beginning that stay when more words are typed behind the last turn."""
        last = messages[-1]
        longer = [last.model_copy(update={"content": last.content + probe}) for probe in PROBES]
        first, second = (self._render((*messages[:-1], turn), "")[1] for turn in longer)
        return first[: common_length(first, second)]

    def _render(self, messages: tuple[Message, ...], answer: str) -> tuple[str, list[int]]:
        parts = self._parts(messages)
        if answer:
            parts = self._with_answer(parts, answer)
        return "".join(part.text for part in parts), self.tokenizer.encode_prompt(parts)

    def _with_answer(self, parts: list[Part], answer: str) -> list[Part]:
        """Tokenised together with what the template wrote before it, but for words that spell a control token."""
        controls = self.tokenizer.control_texts
        if controls and controls.search(answer):
            return [*parts, Part(answer, special=False)]
        return [*parts[:-1], replace(parts[-1], text=parts[-1].text + answer)]

    def _render_parts(self, messages: tuple[Message, ...]) -> list[Part]:
        return render_parts(self.template, messages, self.tokenizer.control_texts)

    def _common_beginning(self, earlier: tuple[Message, ...], turn: Message) -> list[int]:
        first, second = (
            self._render((*earlier, turn.model_copy(update={"content": probe})), "")[1] for probe in PROBES
        )
        return first[: common_length(first, second)]


def common_length(first: Sequence[int], second: Sequence[int]) -> int:
    """Length of the longest common beginning."""
    for index, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return index
    return min(len(first), len(second))
