"""One turn of a kept chat, to see whether it is the one."""

import re

from textual.app import ComposeResult
from textual.content import Content

from medlora_edge.history import Turn
from medlora_edge.privacy import clean
from medlora_edge.tui.chat.modes import mode
from medlora_edge.tui.keeping import places
from medlora_edge.tui.widgets import verdict
from medlora_edge.tui.widgets.about import About
from medlora_edge.tui.widgets.plain import Plain, plain
from medlora_edge.tui.widgets.turn_view import MARKS

LONGEST = 4000  # characters of each part: a preview, not the turn


class Preview(About):
    """Empty until a turn is shown."""

    HELP = "The preview"

    def compose(self) -> ComposeResult:
        """The text."""
        yield Plain()

    def show(self, turn: Turn | None, words: str = "") -> None:
        """Show a turn from its beginning, the words searched for marked."""
        self.query_one(Plain).update(marked(told(turn), words) if turn else Content(""))
        self.scroll_home(animate=False)


def told(turn: Turn) -> Content:
    """Question, answer and verdict; the abstract last, it is the longest."""
    asked = turn.question
    parts = [_part(f"You \u00b7 {mode(turn.task).name} \u00b7 {places.when(turn.asked)}", asked.question)]
    if asked.options:
        parts.append(_cut("\n".join(f"({letter}) {text}" for letter, text in asked.options.items())))
    parts.append(_part("Answer", turn.answer))
    if verdict.known(turn):
        parts.append(Content.assemble("Verdict  ", plain(verdict.headline(turn.label, turn.label_probs))))
    if turn.state in MARKS:
        parts.append(plain(MARKS[turn.state]))
    if asked.contexts:
        parts.append(_part("Abstract", "\n\n".join(asked.contexts)))
    return Content("\n").join(parts)


def marked(content: Content, words: str) -> Content:
    """The words of a search underlined, letter case aside."""
    wanted = sorted(map(re.escape, set(clean(words).split())), key=len, reverse=True)
    if not wanted:
        return content
    return content.highlight_regex(re.compile("|".join(wanted), re.IGNORECASE), style="bold underline")


def _part(name: str, text: str) -> Content:
    return Content("\n").join([Content.styled(name, "bold"), _cut(text)])


def _cut(text: str) -> Content:
    return plain(text if len(text) <= LONGEST else f"{text[:LONGEST]}\u2026")
