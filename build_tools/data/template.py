"""Chats as the runtime renders and tokenises them, with the labels that a trainer learns from."""

from collections.abc import Sequence
from pathlib import Path

from build_tools.data.model_files import template_source
from build_tools.data.rows import IGNORED
from build_tools.data.vocabulary import Vocabulary
from medlora_edge.engine.chat_template import Part, chat_template, render_parts
from medlora_edge.engine.protocol import Message, Role
from medlora_edge.errors import UsageError

_PROBE = "medlora9probe"
_REASONING = ("<think>", "</think>")  # markup of an answer, not words that happen to spell a control token
_OPENED = ("<think>\n", "<think>")  # some templates begin the answer's reasoning in the prompt


class ChatTokenizer:
    """A base's tokenizer with its chat template; `end_of_turn` is the token that ends an answer.

    Raises UsageError (no tokenizer.json, two templates, no end of turn), CorruptError (damaged files).
    """

    def __init__(self, base: Path) -> None:
        self.vocabulary = Vocabulary(base)
        self.template = chat_template(
            template_source(base),
            bos=self.vocabulary.text_of(self.vocabulary.bos),
            eos=self.vocabulary.text_of(self.vocabulary.eos),
        )
        self.end_of_turn = self._end_of_turn(base)

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """Tokens of the rendered chat, up to where the answer begins. Raises TemplateError."""
        return self.vocabulary.encode_prompt(self._render(messages))

    def example(self, messages: Sequence[Message], answer: str) -> tuple[list[int], list[int]]:
        """Token ids and labels of the chat with its answer and the end of turn: the answer's tokens are the labels.

        Prompt and answer are tokenised together, as the engine scores a candidate. A token that the tokenizer merged
        across the seam is part of the answer, since the prompt alone does not have it. Raises TemplateError.
        """
        parts = self._render(messages)
        prompt = self.vocabulary.encode_prompt(parts)
        whole = self.vocabulary.encode_prompt(self._continued(parts, answer))
        ids = [*whole, self.end_of_turn]
        known = _common_length(prompt, whole)
        return ids, [IGNORED] * known + ids[known:]

    def text(self, text: str) -> list[int]:
        """Tokens of a text to be continued, no BOS, control tokens in it taken as text."""
        return self.vocabulary.encode(text, special=False)

    def _render(self, messages: Sequence[Message]) -> list[Part]:
        return render_parts(self.template, messages, self.vocabulary.control_texts)

    def _continued(self, parts: list[Part], answer: str) -> list[Part]:
        last = parts[-1]
        for opened in _OPENED:
            if last.text.endswith(opened):
                answer = answer.removeprefix(opened)
        first, *others = self._cut(answer)
        return [*parts[:-1], Part(last.text + first.text, last.special), *(part for part in others if part.text)]

    def _cut(self, answer: str) -> list[Part]:
        """The answer with each control token that it spells as a part that is plain text."""
        parts, start = [], 0
        for match in self.vocabulary.control_texts.finditer(answer) if self.vocabulary.control_texts else ():
            if match[0] not in _REASONING:
                parts += [Part(answer[start : match.start()], special=True), Part(match[0], special=False)]
                start = match.end()
        return [*parts, Part(answer[start:], special=True)]

    def _end_of_turn(self, base: Path) -> int:
        """The control token that the template writes behind an answer; the base's EOS where it writes none."""
        chat = (Message(role=Role.USER, content="9"), Message(role=Role.ASSISTANT, content=_PROBE))
        parts = render_parts(self.template, chat, None, add_generation_prompt=False)
        behind = "".join(part.text for part in parts).rpartition(_PROBE)[2]
        controls = self.vocabulary.control_texts
        found = controls.search(behind) if controls else None
        token = self.vocabulary.id_of(found[0]) if found else self.vocabulary.eos
        if token is None:
            fix = "use a base whose tokenizer has an end-of-sequence token, or another chat template"
            raise UsageError("neither the chat template nor the tokenizer ends an answer", where=str(base), fix=fix)
        return token


def _common_length(first: Sequence[int], second: Sequence[int]) -> int:
    pairs = zip(first, second, strict=False)
    return next((index for index, (one, other) in enumerate(pairs) if one != other), min(len(first), len(second)))
