"""What is typed and not sent, as one text that the store keeps."""

from dataclasses import dataclass, replace

from pydantic import TypeAdapter, ValidationError

from medlora_edge.history import TaskName


@dataclass(frozen=True)
class Draft:
    """`chat`: the one it was typed in, None for a new one; `edits`: the turn of it whose question it changes."""

    task: TaskName = "ask"
    text: str = ""
    abstract: str = ""
    chat: int | None = None
    edits: int | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing was typed."""
        return not self.text.strip() and not self.abstract.strip()

    def without(self, sent: str) -> "Draft":
        """What is left of it when the text `sent` at its beginning has become a question."""
        return replace(self, text=self.text.removeprefix(sent).removeprefix("\n"), edits=None) if sent else self


_STORED = TypeAdapter(Draft)


def stored(draft: Draft) -> str:
    """As the store keeps it."""
    return "" if draft.empty else _STORED.dump_json(draft).decode()


def read(text: str) -> Draft:
    """From the store; what cannot be read is taken for a prompt."""
    try:
        return _STORED.validate_json(text)
    except ValidationError:
        return Draft(text=text)
