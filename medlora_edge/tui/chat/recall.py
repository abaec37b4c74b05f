"""Earlier prompts, walked through by Up and Down; the prompt not yet sent waits at the end."""

from collections.abc import Sequence


class Recall:
    """Prompts in the order sent."""

    def __init__(self) -> None:
        self._sent: list[str] = []
        self._at: int | None = None  # None: at the draft
        self._draft = ""

    def begin_with(self, sent: Sequence[str]) -> None:
        """Walk through these, in the order sent, in place of those before."""
        self._sent, self._at = [], None
        for text in sent:
            self.add(text)

    def add(self, text: str) -> None:
        """A prompt was sent."""
        if text.strip() and self._sent[-1:] != [text]:
            self._sent.append(text)
        self._at = None

    def older(self, shown: str) -> str | None:
        """The prompt before the one shown; None where there is none."""
        at = len(self._sent) if self._at is None else self._at
        if at == 0:
            return None
        if self._at is None:
            self._draft = shown
        self._at = at - 1
        return self._sent[self._at]

    def newer(self) -> str | None:
        """The prompt after the one shown, the draft at last; None at the draft."""
        if self._at is None:
            return None
        self._at += 1
        if self._at < len(self._sent):
            return self._sent[self._at]
        self._at = None
        return self._draft
