"""Search finds all words in questions, answers and titles; any text is a safe query, none has a syntax."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medlora_edge.history import Hit, Store, TurnState, private
from medlora_edge.privacy import clean
from medlora_edge.tasks import Question
from tests.history.support import SHA, begin

TEXT = "Aspirin 81 mg lowers the risk"


@pytest.fixture
def found(store: Store) -> Store:
    chat = store.new_chat("starter", SHA).id
    store.rename(chat, "Prevention")
    turn = begin(store, chat, TEXT)
    store.end(turn.id, TurnState.DONE, "Dyspnée d'effort, SGLT2-inhibitors")
    return store


@pytest.mark.parametrize(
    "words",
    [
        "aspirin",
        "ASPIRIN",
        "risk aspirin",
        "aspi",
        "81 m",
        "dyspnee",
        "DYSPNÉE",
        "sglt2-inhibitors",
        "effort",
        "d'effort",
    ],
)
def test_found(found: Store, words: str) -> None:
    (hit,) = found.search(words)
    assert (hit.chat, hit.turn, hit.title) == (1, 1, "Prevention")


@pytest.mark.parametrize(
    "words",
    [
        "",
        "   ",
        "spirin",
        "aspirin penicillin",
        "asp risk",
        "NEAR(aspirin)",
        "aspirin OR penicillin",
        "text:aspirin",
        '"',
        "*",
    ],
)
def test_not_found(found: Store, words: str) -> None:
    assert found.search(words) == ()


def test_a_title_is_found(found: Store) -> None:
    assert found.search("prevention") == (
        Hit(chat=1, title="Prevention", turn=None, snippet="Prevention", matches=((0, 10),)),
    )


def test_the_words_found_are_marked(found: Store) -> None:
    (hit,) = found.search("risk asp")
    assert [hit.snippet[begin:end] for begin, end in hit.matches] == ["Aspirin", "risk"]


def test_contexts_and_options_are_searched(store: Store) -> None:
    chat = store.new_chat("starter", SHA).id
    question = Question("1", "Which?", ("a metformin trial",), {"A": "glipizide"})
    store.begin(chat, "multiple_choice", question, model_sha256=SHA, prompts_sha256=SHA)
    assert [len(store.search(word)) for word in ("metformin", "glipizide")] == [1, 1]


def test_the_last_used_chat_comes_first(store: Store) -> None:
    first, second = store.new_chat("starter", SHA).id, store.new_chat("starter", SHA).id
    for chat in (first, second, first):
        begin(store, chat, "the same words")
    assert [(hit.chat, hit.turn) for hit in store.search("same words")] == [(1, 3), (1, 1), (2, 2)]
    assert len(store.search("same", limit=2)) == 2


def test_a_pasted_page_is_a_query_too(store: Store) -> None:
    begin(store, store.new_chat("starter", SHA).id, "word " * 100_000)
    assert len(store.search("word " * 100_000)) == 1


SHARED = private()
ODD = st.text(
    st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("\"'*^:(){}+-<>\\\x00\x02\x03 ")), max_size=80
)


@given(typed=ODD)
def test_any_text_is_safe(typed: str) -> None:
    assert all(hit.chat in {chat.id for chat in SHARED.chats()} for hit in SHARED.search(typed))


@given(text=ODD)
def test_a_text_finds_itself(text: str) -> None:
    """Whatever has a word in it at all; marks lie where the words are."""
    chat = SHARED.new_chat("starter", SHA).id
    begin(SHARED, chat, f"anchor {text}")
    (hit,) = [hit for hit in SHARED.search(f"anchor {text}", limit=1_000_000) if hit.chat == chat]
    assert all(0 <= begin < end <= len(hit.snippet) for begin, end in hit.matches)
    assert hit.snippet == clean(hit.snippet)
    SHARED.delete(chat)
