"""The verdict of an answer: a word, a symbol, how likely each label was, and where all that comes from."""

from collections.abc import Mapping

from textual.content import Content

from medlora_edge.history import Turn
from medlora_edge.tui.chat.signs import bar
from medlora_edge.tui.session import verdict
from medlora_edge.tui.widgets.plain import Plain, plain

SYMBOLS = {"yes": "\u2714", "no": "\u2718", "maybe": "?"}
NEAR_TIE = "\u2013 no verdict: the two likeliest labels are as good as equally likely"
NONE = "\u2013 no verdict: the model gives no probabilities"
SOURCE = "What the model finds likeliest; the text below was written for it."
BAR = 20  # characters for probability 1


class VerdictView(Plain):
    """Empty until there is one."""

    DEFAULT_CSS = """
    VerdictView { display: none; padding: 0 1; margin: 0 1; }
    VerdictView.given { display: block; }
    """

    def give(self, turn: Turn) -> None:
        """Show the turn's, if it has one; once its answer is whole, also whether that says the same."""
        if known(turn):
            self.add_class("given")
            self.update(told(turn))


def known(turn: Turn) -> bool:
    """Whether it was weighed."""
    return bool(turn.label_probs) or (turn.task != "ask" and turn.state in verdict.WHOLE)


def told(turn: Turn) -> Content:
    """Everything about a verdict."""
    label, probs = turn.label, turn.label_probs
    lines = [Content.assemble(("Verdict  ", "bold"), (headline(label, probs), "bold"))]
    lines += [_bar(name, share, chosen=name == label) for name, share in probs.items()]
    if label:
        lines.append(plain(SOURCE))
    if but := verdict.contradiction(turn):
        lines.append(plain(f"! {but}", "bold $warning"))
    return Content("\n").join(lines)


def headline(label: str | None, probs: Mapping[str, float]) -> str:
    """Symbol and word."""
    if label is None:
        return NEAR_TIE if probs else NONE
    return f"{SYMBOLS[label]} {label}" if label in SYMBOLS else verdict.name(label)


def _bar(name: str, share: float, *, chosen: bool) -> Content:
    line = f"{'>' if chosen else ' '} {name:<6} {bar(share, BAR)} {share:6.1%}"
    return plain(line, "bold" if chosen else "")
