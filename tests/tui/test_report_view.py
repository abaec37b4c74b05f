"""No text of a model, a card or an error reaches the screen uncleaned, whatever it is."""

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from medlora_edge.bench.compare import compare
from medlora_edge.bench.comparison import report_comparison
from medlora_edge.bench.report import report
from medlora_edge.bench.results import compute
from medlora_edge.bench.schema import AdapterCard, Card
from medlora_edge.bench.tabular import Report
from medlora_edge.privacy import clean
from medlora_edge.tui.widgets.report_view import parts
from tests.bench.samples import card, sample

HOSTILE = st.text(st.sampled_from("\x00\x07\x08\x1b\x7f\x9b\x9d\u202e\u2066[]/@=ab\n"), max_size=30)
SAMPLES = {"1": sample("1", "yes", "no"), "2": sample("2", "no", "no")}


def foreign(text: str) -> Card:
    """A card in which everything that others may have written is this text."""
    names = dict.fromkeys(("name", "description", "quantisation", "template_sha256"), text)
    return card(
        n_items=2,
        model=card().model.model_copy(update=names),
        adapter=AdapterCard(name=text, sha256=text),
        software={"llama.cpp": text},
        machine=card().machine.model_copy(update={"cpu": text}),
    )


def drawn(widget: Widget) -> str:
    """What it hands to the screen; a table as it is printed."""
    assert isinstance(widget, Static)
    if isinstance(widget.visual, Content):
        return widget.visual.plain
    printed = io.StringIO()
    Console(file=printed, width=200, markup=True).print(widget.content)
    return printed.getvalue()


def check(shown: Report) -> str:
    text = "\n".join(drawn(widget) for widget in parts(shown))
    assert clean(text) == text
    return text


@given(HOSTILE)
def test_a_report_is_clean_and_not_read_as_markup(text: str) -> None:
    shown = check(report(compute(foreign(text), SAMPLES)))
    assert clean(text) in shown


@given(HOSTILE)
def test_a_comparison_is_clean_and_not_read_as_markup(text: str) -> None:
    shown = check(report_comparison(compare((foreign(text), SAMPLES), (card(n_items=2), SAMPLES))))
    line = max(clean(text).split("\n"), key=len).strip()
    assert line in shown
