"""`medlora-edge parse`: reads answers out of responses that were collected elsewhere."""

import json
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from medlora_edge.errors import CorruptError, MedloraError

if TYPE_CHECKING:
    from medlora_edge.tasks import Question

_MAX_LINE = 1 << 26
_ASSUMED_LETTERS = "ABCDE"


def parse() -> None:
    """Read answers out of responses.

    Takes JSON lines on standard input (`task`, `response`, and `options` for multiple choice: an object from letter
    to text, a list in the order of the letters, or left out for A to E without texts). Writes each line with
    `strict_valid`, `strict_label` and `lenient_label` added.
    """
    number = 0
    while line := sys.stdin.buffer.readline(_MAX_LINE + 1):
        number += 1
        if not line.strip():
            continue
        try:
            record = _read(_record(line))
        except MedloraError as error:
            raise CorruptError(error.what, where=f"standard input, line {number}", fix=error.fix) from error
        sys.stdout.write(json.dumps(record) + "\n")
        sys.stdout.flush()


def _record(line: bytes) -> dict[str, Any]:
    if len(line) > _MAX_LINE:
        raise CorruptError("the line is longer than 64 MiB")
    try:
        record = json.loads(line, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise CorruptError(f"not JSON: {error}", fix="write one JSON object a line") from error
    if not isinstance(record, dict):
        raise CorruptError("not a JSON object", fix="write one JSON object a line")
    return record


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _read(record: dict[str, Any]) -> dict[str, Any]:
    """`record` with what the readers say. A null response, that of a failed request, has no label."""
    from medlora_edge.tasks import task

    name, response = record.get("task"), record.get("response", "")
    if not isinstance(name, str):
        raise CorruptError('"task" is missing', fix="name ask, pubmedqa or multiple_choice")
    if "response" not in record or not (response is None or isinstance(response, str)):
        raise CorruptError('"response" is missing or not a text')
    reader, question = task(name), _question(name, record)
    strict = reader.read_strict(response or "", question)
    lenient = reader.read_lenient(response or "", question)
    return record | {"strict_valid": strict is not None, "strict_label": strict, "lenient_label": lenient}


def _question(name: str, record: dict[str, Any]) -> "Question":
    from medlora_edge.tasks import Question

    options = _options(record.get("options")) if name == "multiple_choice" else {}
    return Question(id="", question="", options=options)


def _options(given: object) -> dict[str, str]:
    """Options by capital letter. Raises CorruptError for anything but letters A to J with texts."""
    from medlora_edge.tasks.multiple_choice import LETTERS

    match given:
        case None:
            return dict.fromkeys(_ASSUMED_LETTERS, "")
        case list():
            options = dict(zip(LETTERS, given, strict=False))
            is_sound = 2 <= len(given) <= len(LETTERS)
        case dict():
            options = {letter.upper(): text for letter, text in given.items()}
            is_sound = len(given) == len(options) and all(len(key) == 1 and key in LETTERS for key in options)
        case _:
            options, is_sound = {}, False
    if not options or not is_sound or not all(isinstance(text, str) for text in options.values()):
        raise CorruptError('"options" is neither an object from letters A-J to texts nor a list of texts')
    return options
