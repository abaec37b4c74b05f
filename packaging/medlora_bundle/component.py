"""What a bundle consists of: a package, a library inside it or a model, each with its files and licence."""

from dataclasses import dataclass
from enum import StrEnum

from medlora_bundle.shipped import Shipped


class Kind(StrEnum):
    """Kinds of component, in the words of CycloneDX."""

    APPLICATION = "application"
    LIBRARY = "library"
    MODEL = "machine-learning-model"
    PLATFORM = "platform"


@dataclass(frozen=True)
class Text:
    """A licence text, or one that names authors: its file's name and its bytes."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Data:
    """Data that a model was made from, with all that its licence asks to be said."""

    name: str
    licence: str
    source: str
    by: str


@dataclass(frozen=True)
class Component:
    """One part of a bundle.

    `licence` is an SPDX expression or what its maker calls it; `sha256` that of the wheel it came from. `files` are its
    own, `inside` the paths of other files that it was compiled into; `parts` are components within it. `maker_says`:
    known from its owner's list of parts alone, which holds no texts.
    """

    name: str
    version: str | None
    kind: Kind
    licence: str
    summary: str = ""
    purl: str | None = None
    sha256: str | None = None
    files: tuple[Shipped, ...] = ()
    inside: tuple[str, ...] = ()
    parts: tuple["Component", ...] = ()
    texts: tuple[Text, ...] = ()
    data: tuple[Data, ...] = ()
    maker_says: bool = False

    @property
    def label(self) -> str:
        """Name and version, for people."""
        return f"{self.name} {self.version}" if self.version else self.name
