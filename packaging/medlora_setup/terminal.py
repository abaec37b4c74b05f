"""What setup says: results on stdout, progress on stderr where somebody sees it, questions to whoever answers."""

import json
import sys
from collections.abc import Mapping

from medlora_setup.progress import Count, silent


def announce(what: str) -> Count:
    """Show `what` with the part that is done, on a terminal only."""
    if not sys.stderr.isatty():
        return silent(what)
    shown = -1

    def count(done: int, total: int) -> None:
        nonlocal shown
        percent = 100 * done // total if total else 100
        if percent != shown:
            shown = percent
            print(f"\r{what}: {percent} %", end="\n" if done >= total else "", file=sys.stderr, flush=True)

    return count


def step(what: str) -> None:
    """Say that a step begins, on a terminal only."""
    if sys.stderr.isatty():
        print(what, file=sys.stderr, flush=True)


def ask(question: str, answer: str = "yes") -> bool:
    """Whether the answer to `question` is exactly `answer`; the end of the input is a no."""
    print(f"{clean(question)}\nType {answer} to go on: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip() == answer


def show(lines: list[str]) -> None:
    """Print lines for a reader."""
    for line in lines:
        print(clean(line))


def show_json(record: Mapping[str, object]) -> None:
    """Print one JSON object."""
    print(json.dumps(record, indent=2))


def clean(text: str) -> str:
    """The text without what would steer a terminal, such as may stand in the name of a file."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "�" for letter in text)
