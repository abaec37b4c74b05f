"""What a stage will learn, token by token: text, id, learned or not, and the totals. For the terminal."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from build_tools.data.build import build
from build_tools.data.report import DataReport
from build_tools.data.rows import IGNORED, Row
from build_tools.data.template import ChatTokenizer
from build_tools.data.vocabulary import Vocabulary
from build_tools.recipe.schema import Stage
from medlora_edge.privacy import clean

_VISIBLE = str.maketrans({" ": "␣", "\n": "↵", "\t": "⇥"})


@dataclass(frozen=True)
class Token:
    """One token of a row. `text` is safe to print and on one line; what is no text by itself shows as its piece."""

    id: int
    text: str
    learned: bool


@dataclass(frozen=True)
class PreviewedDocument:
    """One document of a row."""

    id: str
    tokens: tuple[Token, ...]


@dataclass(frozen=True)
class Preview:
    """The first rows as training will get them, and the totals of the whole stage."""

    documents: tuple[PreviewedDocument, ...]
    report: DataReport


def preview(stage: Stage, base: Path, recipe_folder: Path, *, rows: int, seed: int) -> Preview:
    """Build the stage's rows and look at the first `rows` of them. Raises as `build` does."""
    built, report = build(stage, base, recipe_folder, seed=seed)
    vocabulary = ChatTokenizer(base).vocabulary
    return Preview(tuple(shown for row in built.train[:rows] for shown in documents(row, vocabulary)), report)


def documents(row: Row, vocabulary: Vocabulary) -> Iterator[PreviewedDocument]:
    """The documents of a row, each token with what its label says."""
    start = 0
    for id_, length in zip(row.ids, row.seq_lengths, strict=True):
        pairs = zip(row.input_ids[start : start + length], row.labels[start : start + length], strict=True)
        yield PreviewedDocument(
            id_, tuple(Token(int(token), _shown(int(token), vocabulary), label != IGNORED) for token, label in pairs)
        )
        start += length


def render(preview: Preview) -> RenderableType:
    """For a rich console; says what is learned in words too, so that it reads the same without colours."""
    shown = [part for document in preview.documents for part in (_heading(document), _runs(document))]
    return Group(*shown, _totals(preview.report))


def _heading(document: PreviewedDocument) -> Text:
    learned = sum(token.learned for token in document.tokens)
    return Text(f"{clean(document.id)}: {len(document.tokens):,} tokens, {learned:,} learned", style="bold")


def _runs(document: PreviewedDocument) -> Table:
    """Tokens in turns, learned and not, as text⟨id⟩; a space in a token is ␣, so that lines break between tokens."""
    table = Table.grid(padding=(0, 1))
    for learned, run in groupby(document.tokens, key=lambda token: token.learned):
        tokens = [Text.assemble((token.text, "green" if learned else ""), (f"⟨{token.id}⟩", "dim")) for token in run]
        table.add_row("  learned" if learned else "  context", Text(" ").join(tokens))
    table.add_row()
    return table


def _totals(report: DataReport) -> Table:
    table = Table("of the whole stage", "", box=None, show_header=True, pad_edge=False)
    dropped = "".join(f"; {count:,} {reason}" for reason, count in report.refused.items())
    lengths = ", ".join(f"{name} {length:,}" for name, length in report.lengths.items())
    for name, value in (
        ("documents", f"{report.documents:,} ({report.duplicates:,} repeat an earlier one)"),
        ("held out", f"{report.held_out:,}"),
        ("dropped", f"{report.dropped:,} ({report.dropped_share:.1%}){dropped}"),
        ("left out", "; ".join(f"{count:,} {reason}" for reason, count in report.left_out.items()) or "none"),
        ("test sets", _overlap(report)),
        ("sources", _sources(report)),
        ("cut into pieces", f"{report.truncated:,}"),
        ("rows", f"{report.rows:,}"),
        ("tokens", f"{report.tokens:,}"),
        ("learned", f"{report.trained_tokens:,} ({report.trained_share:.1%})"),
        ("tokens a document", lengths),
    ):
        table.add_row(name, value)
    return table


def _overlap(report: DataReport) -> str:
    met = report.decontamination
    if met is None:
        return "not compared with the data"
    return f"{met.documents:,} documents overlap and are left out ({met.common:,} common phrases passed over)"


def _sources(report: DataReport) -> str:
    told = []
    for source in report.sources:
        labels = ", ".join(f"{count:,} {label}" for label, count in source.labels.items())
        shares = f"{source.documents:,} documents, {source.tokens:,} tokens"
        told.append(f"{clean(source.file)}: {shares}{f' ({labels})' if labels else ''}")
    return "\n".join(told)


def _shown(token: int, vocabulary: Vocabulary) -> str:
    piece, text = vocabulary.text_of(token), vocabulary.decode([token])
    if not text or "\ufffd" in text:
        return clean(piece)
    if piece.startswith("▁") and not text.startswith(" "):  # decoding takes the first space of a text away
        text = f" {text}"
    return clean(text.translate(_VISIBLE)) or clean(piece)
