"""A model's Markdown: read the same however it was cut, laid out in any width, and nothing in it acts."""

import codecs
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.content import Content

from medlora_edge.privacy import clean
from medlora_edge.tui.markdown import Growing, Page, growing, whole
from medlora_edge.tui.markdown.rows import Block
from medlora_edge.tui.markdown.table import fair

SAMPLE = """# Sepsis

A **life-threatening** *organ* dysfunction, `SOFA` \u2265 2; see [the source](https://example.org/s).
Second line \u2014 caf\u00e9 \U0001f489.

- first
- second, which is longer
  1. nested

   more
* another list
**not an item**

| Drug | Dose |
|:--|--:|
| Aspirin | 100 mg |
| Heparin | 5,000 IE |

```python
x = "\u00e9" \u001b]8;;http://example.org\u0007
```
> quoted
> - twice

---
<b onclick="x">html</b> ![image](http://example.org/p.png) &#x202e;
"""
MARKS = ("# ", "- ", "* ", "1. ", "2) ", "> ", "```\n", "~~~", "---", "===", "*", "**", "_", "`", "~~", "\\", "&lt;")
TABLE = ("| a | b |\n", "|---|:-:|\n", "|")
OTHER = ("\n", "\n\n", "  ", "    ", "\t", "word", "two words", "caf\u00e9", "[x](y)", "![i](z)", "<b>", "\u001b[2J")
PIECES = st.sampled_from([*MARKS, *TABLE, *OTHER])


def grown(text: str, cuts: list[int]) -> Growing:
    """Fed in pieces."""
    growing = Growing()
    for begin, end in pairwise([0, *cuts, len(text)]):
        growing.feed(text[begin:end])
    return growing


def blocks(growing: Growing) -> list[Block]:
    return [*growing.settled, *growing.end]


def texts(blocks: list[Block], width: int = 60) -> list[str]:
    """As they are copied."""
    growing = Growing()
    growing.settled = blocks
    page = Page(width)
    page.show(growing)
    return page.texts


@pytest.mark.parametrize("cut", range(len(SAMPLE.encode())))
def test_stream_cut_at_every_byte_reads_as_the_whole(cut: int) -> None:
    raw = SAMPLE.encode()
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    growing = Growing()
    for piece, last in ((raw[:cut], False), (raw[cut:], True)):
        growing.feed(decoder.decode(piece, final=last))
    assert blocks(growing) == whole(SAMPLE)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join), st.data())
def test_any_text_in_any_pieces_reads_as_the_whole(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    assert blocks(grown(text, cuts)) == whole(text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200) | st.lists(PIECES, max_size=40).map("".join), st.integers(1, 90))
def test_rows_hold_nothing_that_steers_and_every_row_shows_the_text_it_says(text: str, width: int) -> None:
    page = Page(width)
    page.show(grown(text, list(range(1, len(text)))))
    for row in page.rows:
        shown = row.content.plain
        assert shown == clean(shown)
        assert "\n" not in shown
        assert page.texts[row.line][row.start :].startswith(shown[row.margin :].rstrip())
        assert not any(isinstance(span.style, str) and "@" in span.style for span in row.content.spans)


def test_links_images_and_html_are_text() -> None:
    (line,) = texts(whole("[label](https://example.org) ![alt](http://example.org/x.png) <b>x</b> <https://e.org>"))
    assert line == "label (https://example.org) [image: alt] <b>x</b> https://e.org"


def test_entities_that_spell_controls_are_dropped() -> None:
    assert texts(whole("a&#x202e;b&#x1b;c &lt;")) == ["ab\ufffdc <"]


def test_headings_lists_and_quotes_keep_their_shape() -> None:
    assert texts(whole("## H\n- a\n  - b\n1. one\n\n   two\n\n> q\n> r")) == [
        "H",
        "\u2022 a",
        "  \u25e6 b",
        "1. one",
        "   ",
        "   two",
        "",
        "\u2502 q",
        "\u2502 r",
    ]


def test_wrapped_rows_hang_below_the_words_of_their_item() -> None:
    page = Page(20)
    page.show(grown("- one two three four five six", []))
    assert [row.content.plain for row in page.rows] == ["\u2022 one two three four", "  five six"]


def test_code_is_copied_to_the_character_and_folds_on_the_screen() -> None:
    code = "if x:\n    return 'a long line of code that is wider than the screen'"
    assert texts(whole(f"```\n{code}\n```"), width=20) == code.split("\n")
    page = Page(20)
    page.show(grown("- ```\n  x\n  y\n  ```", []))
    assert [row.content.plain for row in page.rows] == ["\u2022 \u250a x", "  \u250a y"]


def test_table_fits_its_width_and_becomes_a_list_where_it_cannot() -> None:
    table = "| Drug | Known |\n|---|--:|\n| Aspirin | lowers the risk of infarction in secondary prevention |"
    wide = texts(whole(table), width=40)
    assert max(map(len, wide)) <= 40
    assert wide[0].startswith("Drug    \u2502")
    narrow = texts(whole("|a|b|c|d|e|f|\n|-|-|-|-|-|-|\n|1|2|3|4|5|6|"), width=30)
    assert narrow[:2] == ["a: 1", "b: 2"]


def test_columns_share_what_there_is() -> None:
    assert fair([3, 40, 50], 43) == [3, 20, 20]
    assert fair([3, 4], 40) == [3, 4]


@pytest.mark.parametrize(
    ("opening", "line"),
    [("```py\n", "x = 1\n"), ("| a | b |\n|---|---|\n", "| 1 | 2 |\n"), ("", "- item\n"), ("", "word ")],
)
def test_part_that_never_ends_is_cut_and_goes_on_as_what_it_is(opening: str, line: str) -> None:
    text = opening + line * (3 * growing.LONGEST // len(line))
    slowly = grown(text, list(range(0, len(text), 500)))
    assert slowly.cut
    assert slowly.settled
    assert {type(block) for block in blocks(slowly)} == {type(block) for block in whole(text)}
    word = line.rsplit(maxsplit=1)[-1] if line.strip("| \n")[:1].isalpha() else "1"
    shown = [" ".join(texts(some)).split().count(word) for some in (blocks(slowly), whole(text))]
    assert shown[0] == shown[1]


def test_nothing_is_no_block() -> None:
    assert whole("") == whole("\n\n") == []
    assert texts([*whole("x")]) == ["x"]
    assert isinstance(whole("x")[0].text, Content)  # type: ignore[union-attr]
