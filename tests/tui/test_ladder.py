"""Esc, Ctrl+C, Ctrl+D and Ctrl+Q in every situation there is."""

from itertools import product

import pytest

from medlora_edge.tui.keys.ladder import Situation, Step, on_end_of_file, on_escape, on_interrupt, on_quit

EVERY = [Situation(*flags) for flags in product([False, True], repeat=8)]


@pytest.mark.parametrize("at", EVERY, ids=str)
def test_escape_never_quits_and_never_clears(at: Situation) -> None:
    expected = Step.FOCUS_PROMPT
    if at.overlay:
        expected = Step.CLOSE_OVERLAY
    elif at.busy:
        expected = Step.STOP
    elif at.in_prompt:
        expected = Step.NOTHING
    assert on_escape(at) is expected


@pytest.mark.parametrize("at", EVERY, ids=str)
def test_ctrl_c_copies_then_stops_then_warns_and_quits_only_after_a_warning(at: Situation) -> None:
    step = on_interrupt(at)
    assert (step is Step.COPY) == at.selection
    assert (step is Step.STOP) == (at.busy and not at.selection)
    assert (step is Step.QUIT) == (at.warned and not at.busy and not at.selection and not at.held)
    assert (step is Step.CLOSE_OVERLAY) == (at.held and not at.busy and not at.selection)
    assert step in {Step.COPY, Step.STOP, Step.CLOSE_OVERLAY, Step.QUIT, Step.WARN}


@pytest.mark.parametrize("at", EVERY, ids=str)
def test_ctrl_d_edits_a_draft_and_else_is_ctrl_q(at: Situation) -> None:
    edits = at.in_prompt and at.draft and not at.overlay
    assert on_end_of_file(at) is (Step.DELETE_RIGHT if edits else on_quit(at))


@pytest.mark.parametrize("at", EVERY, ids=str)
def test_ctrl_q_asks_where_something_would_be_lost(at: Situation) -> None:
    lost = at.busy or at.unsaved
    expected = Step.CONFIRM_QUIT if lost else Step.QUIT
    assert on_quit(at) is (Step.CLOSE_OVERLAY if at.overlay else expected)
