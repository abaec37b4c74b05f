"""The verdict of an answer: a word, a symbol, and how likely each label was."""

from collections.abc import Mapping

from textual.content import Content

from medlora_edge.tui.widgets.plain import Plain, plain

SYMBOLS = {"yes": "\u2714", "no": "\u2718", "maybe": "?"}
NONE = "\u2013 no verdict: the answer does not settle on one"
BAR = 20  # characters for probability 1


class VerdictView(Plain):
    """Empty until there is one."""

    DEFAULT_CSS = """
    VerdictView { display: none; padding: 0 1; margin: 0 1; }
    VerdictView.given { display: block; }
    """

    def give(self, label: str | None, probs: Mapping[str, float]) -> None:
        """Show it."""
        self.add_class("given")
        lines = [Content.assemble(("Verdict  ", "bold"), (headline(label), "bold"))]
        lines += [_bar(name, share, chosen=name == label) for name, share in probs.items()]
        self.update(Content("\n").join(lines))


def headline(label: str | None) -> str:
    """Symbol and word."""
    if label is None:
        return NONE
    return f"{SYMBOLS[label]} {label}" if label in SYMBOLS else f"({label})"


def _bar(name: str, share: float, *, chosen: bool) -> Content:
    full = round(share * BAR)
    bar = "\u2588" * full + "\u2591" * (BAR - full)
    line = f"{'>' if chosen else ' '} {name:<6} {bar} {share:6.1%}"
    return plain(line, "bold" if chosen else "")
