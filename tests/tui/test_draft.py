"""The draft as one text: whatever a store holds, something to type on with comes of it."""

from hypothesis import given
from hypothesis import strategies as st

from medlora_edge.tui.keeping.draft import Draft, read, stored

DRAFTS = st.builds(
    Draft,
    task=st.sampled_from(["ask", "pubmedqa", "multiple_choice"]),
    text=st.text(st.characters(exclude_categories=["Cs"])),
    abstract=st.text(st.characters(exclude_categories=["Cs"])),
    chat=st.none() | st.integers(1),
    edits=st.none() | st.integers(1),
)


@given(DRAFTS)
def test_draft_is_read_as_it_was_stored(draft: Draft) -> None:
    assert draft.empty or read(stored(draft)) == draft


@given(st.text())
def test_any_text_is_a_draft(text: str) -> None:
    assert isinstance(read(text), Draft)


@given(st.text(), st.text())
def test_what_was_sent_is_the_draft_no_longer_and_what_came_after_is(sent: str, typed: str) -> None:
    both = Draft(text="\n".join(filter(None, (sent, typed))), abstract="kept", chat=3)
    assert both.without(sent) == Draft(text=typed, abstract="kept", chat=3)


def test_plain_text_is_a_prompt_and_nothing_typed_is_nothing() -> None:
    assert read("What is sepsis?") == Draft(text="What is sepsis?")
    assert stored(Draft("pubmedqa", "  ", "\n", 7)) == ""
