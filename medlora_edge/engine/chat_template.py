"""A chat as the text that a model was trained on: its own Jinja2 chat template, or ChatML where it has none.

A template is foreign code, so its time, memory and output are bounded. What people wrote in the chat stays
text, even where it spells one of the model's control tokens.
"""

import gc
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import jinja2
from jinja2.exceptions import SecurityError

from medlora_edge.engine.bounded import TimeLimitReached, bounded
from medlora_edge.engine.protocol import Message, Role
from medlora_edge.engine.template_sandbox import RejectedChatError, expand, sandbox
from medlora_edge.errors import ExitCode, MedloraError

MAX_SECONDS = 1.0
MAX_BYTES = 256 << 20
MAX_SOURCE = 1 << 18
_SPARE_OUTPUT = 64 << 10

# Unicode noncharacters: no text holds them, and they come through trimming, case changes and JSON unharmed.
_PLACEHOLDER = re.compile("\ufdd0([0-9]{1,7})\ufdd1")
_PROBE = "\ufdd2"
_NOT_TEXT = re.compile("[\ufdd0-\ufdef\ud800-\udfff]")
_REPLACEMENT = "\ufffd"

# In its own turns these are the model's markup, which its template may cut at.
_REASONING = frozenset({"<think>", "</think>"})

# All that compiling and running Jinja2 code of any kind has been seen to raise.
_FOREIGN_ERRORS = (
    jinja2.TemplateError,
    RejectedChatError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    NameError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)


class TemplateError(MedloraError):
    """A chat template that cannot be used, or that refuses this chat; `what` says why in one sentence."""

    code = ExitCode.CORRUPT


@dataclass(frozen=True)
class ChatTemplate:
    """A chat template, where it comes from, and the texts of the tokens that it may name ("" if none)."""

    source: str
    origin: Literal["model", "chatml"]
    bos: str
    eos: str

    @property
    def sha256(self) -> str:
        """Hash of the source, for the record of a run."""
        return hashlib.sha256(self.source.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Part:
    """A stretch of a prompt. `special`: control tokens in it are meant as such; else it is plain text."""

    text: str
    special: bool


def chat_template(source: str | None, *, bos: str, eos: str) -> ChatTemplate:
    """The model's own template, or ChatML when `source` is None or empty."""
    if source:
        return ChatTemplate(source, "model", bos, eos)
    fallback = Path(__file__).with_name("chatml.jinja").read_text(encoding="utf-8")
    return ChatTemplate(fallback, "chatml", bos, eos)


def control_pattern(texts: Iterable[str]) -> re.Pattern[str] | None:
    """Pattern that finds the texts of a model's control tokens, the longest first; None without any."""
    ordered = sorted({text for text in texts if text}, key=lambda text: (-len(text), text))
    return re.compile("|".join(map(re.escape, ordered))) if ordered else None


def render(template: ChatTemplate, messages: Sequence[Message], *, add_generation_prompt: bool = True) -> str:
    """The chat as one text. Raises TemplateError."""
    parts = render_parts(template, messages, None, add_generation_prompt=add_generation_prompt)
    return "".join(part.text for part in parts)


def render_parts(
    template: ChatTemplate,
    messages: Sequence[Message],
    controls: re.Pattern[str] | None,
    *,
    add_generation_prompt: bool = True,
) -> list[Part]:
    """The chat as text, cut so that each control token spelled by a message is a part that is not `special`.

    A system turn that the template rejects or leaves out is put before the first user turn instead, separated
    by a blank line. In messages, lone surrogates and noncharacters become U+FFFD. Raises TemplateError.
    """
    chat, found = _mark(messages, controls)
    if len(template.source) > MAX_SOURCE:
        raise TemplateError(f"the model's chat template is longer than {MAX_SOURCE} characters")
    try:
        output = bounded(
            lambda: _render_chat(template, chat, add_generation_prompt),
            seconds=MAX_SECONDS,
            extra_bytes=MAX_BYTES,
        )
    except (*_FOREIGN_ERRORS, TimeLimitReached) as error:
        reason = _reason(error)
    else:
        return _split(output, found)
    # What failed keeps its frames, and all they hold, alive in cycles.
    gc.collect()
    raise TemplateError(f"the model's chat template {reason}")


def _mark(messages: Sequence[Message], controls: re.Pattern[str] | None) -> tuple[list[dict[str, str]], list[str]]:
    found: list[str] = []

    def placeholder(match: re.Match[str]) -> str:
        found.append(match[0])
        return f"\ufdd0{len(found) - 1}\ufdd1"

    def own_words(match: re.Match[str]) -> str:
        return match[0] if match[0] in _REASONING else placeholder(match)

    chat = []
    for message in messages:
        content = _NOT_TEXT.sub(_REPLACEMENT, message.content)
        if controls:
            content = controls.sub(own_words if message.role is Role.ASSISTANT else placeholder, content)
        chat.append({"role": message.role.value, "content": content})
    return chat, found


def _split(output: str, found: list[str]) -> list[Part]:
    parts = []
    for position, piece in enumerate(_PLACEHOLDER.split(output)):
        if position % 2 == 0:
            parts.append(Part(_NOT_TEXT.sub(_REPLACEMENT, piece), special=True))
        elif int(piece) < len(found):
            parts.append(Part(found[int(piece)], special=False))
        else:
            parts.append(Part(_REPLACEMENT, special=True))
    return [part for part in parts if part.text]


@lru_cache(maxsize=8)
def _compiled(source: str) -> jinja2.Template:
    return sandbox().from_string(source)


def _render_chat(template: ChatTemplate, chat: list[dict[str, str]], reply_follows: bool) -> str:
    compiled = _compiled(template.source)
    limit = 4 * sum(len(turn["content"]) for turn in chat) + _SPARE_OUTPUT

    def run(turns: list[dict[str, str]]) -> str:
        return expand(compiled, turns, bos=template.bos, eos=template.eos, reply_follows=reply_follows, limit=limit)

    if not chat or chat[0]["role"] != Role.SYSTEM:
        return run(chat)
    try:
        if _PROBE in run([{**chat[0], "content": _PROBE}, *chat[1:]]):
            return run(chat)
    except _FOREIGN_ERRORS:
        pass
    return run(_without_system_turn(chat))


def _without_system_turn(chat: list[dict[str, str]]) -> list[dict[str, str]]:
    system, *turns = chat
    for position, turn in enumerate(turns):
        if turn["role"] == Role.USER:
            content = f"{system['content']}\n\n{turn['content']}"
            return [*turns[:position], {**turn, "content": content}, *turns[position + 1 :]]
    return [{**system, "role": Role.USER.value}, *turns]


def _reason(error: BaseException) -> str:
    text = _NOT_TEXT.sub(_REPLACEMENT, " ".join(str(error)[:400].split())[:200])
    match error:
        case TimeLimitReached():
            reason = f"runs for longer than {MAX_SECONDS:g} s"
        case MemoryError():
            reason = f"needs more than {MAX_BYTES >> 20} MiB of memory"
        case RecursionError():
            reason = "nests too deeply"
        case OverflowError():
            reason = f"asks for too much: {text}"
        case RejectedChatError():
            reason = f"refuses this chat: {text}"
        case SecurityError():
            reason = f"tries what its sandbox forbids: {text}"
        case jinja2.TemplateSyntaxError():
            reason = f"has an error in line {error.lineno}: {text}"
        case _:
            reason = f"fails: {text or type(error).__name__}"
    return reason
