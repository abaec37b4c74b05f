"""The Jinja2 sandbox that a model's chat template runs in: what it finds there, and what it does not."""

import datetime
import json
from typing import NoReturn

from jinja2 import Template, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_INT_BITS = 4096
MAX_REPEATED = 1 << 20

# Not reproducible (random, lipsum), or one call into C that a clock cannot interrupt (the others).
_FILTERS_WITHHELD = ("random", "round", "sum", "pprint")
_GLOBALS_WITHHELD = ("lipsum",)

# Templates that print the date must not change the prompt from day to day. This is the date that Llama 3.1
# and 3.2 write themselves where no clock is at hand.
_TODAY = datetime.date(2024, 7, 26)


class RejectedChatError(Exception):
    """The template itself refuses a chat through `raise_exception`."""


class _GenerationMarkers(Extension):
    """`{% generation %}` marks what a trainer learns from; for a prompt it is as if it were not there."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Arithmetic whose result or working time could explode is checked before it is done."""

    intercepted_binops = frozenset({"*", "**", "%", "//"})

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        if _explodes(operator, left, right):
            raise OverflowError(f"the result of '{operator}' would be too large")
        return super().call_binop(context, operator, left, right)


def sandbox() -> ImmutableSandboxedEnvironment:
    """The environment as model hubs define it for chat templates: trimmed blocks, `break`, `tojson`..."""
    environment = _Sandbox(
        trim_blocks=True, lstrip_blocks=True, extensions=[_GenerationMarkers, loopcontrols], cache_size=0
    )
    environment.filters["tojson"] = _to_json
    for name in _FILTERS_WITHHELD:
        del environment.filters[name]
    for name in _GLOBALS_WITHHELD:
        del environment.globals[name]
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = _TODAY.strftime
    return environment


def expand(
    template: Template, chat: list[dict[str, str]], *, bos: str, eos: str, reply_follows: bool, limit: int
) -> str:
    """Run the template over `chat`; `tools` stay undefined, as for a chat without any.

    Raises OverflowError as soon as the output passes `limit` characters, ValueError when it is empty or no
    text, and whatever the template raises.
    """
    pieces = template.generate(messages=chat, bos_token=bos, eos_token=eos, add_generation_prompt=reply_follows)
    written: list[str] = []
    for piece in pieces:
        limit -= len(piece)
        if limit < 0:
            raise OverflowError("the output is far longer than the chat")
        written.append(piece)
    output = "".join(written)
    if not output:
        raise ValueError("it writes nothing")
    output.encode()
    return output


def _explodes(operator: str, left: object, right: object) -> bool:
    match operator, left, right:
        case "**", int(), int():
            return left.bit_length() * right > MAX_INT_BITS
        case _, int(), int():
            return left.bit_length() + right.bit_length() > MAX_INT_BITS
        case ("*", str() | bytes() | list() | tuple() as repeated, int(times)) | (
            "*",
            int(times),
            str() | bytes() | list() | tuple() as repeated,
        ):
            return len(repeated) * times > MAX_REPEATED
    return False


def _raise_exception(message: object) -> NoReturn:
    raise RejectedChatError(str(message))


def _to_json(
    value: object,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    encoder = json.JSONEncoder(ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
    # Piece by piece, which a clock can interrupt; the whole at once is one call into C.
    return "".join(encoder.iterencode(value))
