"""Downloads from a hub on this machine: sound, resumed after a break, refused when the content is not the promised."""

import sys
from collections.abc import Iterator

import pytest

from medlora_edge import models, paths
from medlora_edge.errors import CorruptError, UsageError
from medlora_edge.models.fetch import Offer, fetch, look_up
from tests.fake_hub import COMMIT, FakeHub, serving
from tests.models.corpus import sound_bytes

pytestmark = pytest.mark.loopback

FILE = "model.Q3_K_L.gguf"
# The hub library writes in pieces of 10 MiB: a break loses what is newer than the last whole piece.
PIECE = 10 << 20
CONTENT = sound_bytes() + bytes(2 * PIECE)
BREAK = PIECE + 100_000


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with serving(FakeHub({FILE: CONTENT})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def parts() -> list[int]:
    return [place.stat().st_size for place in (paths.models_dir() / ".downloads").glob("*.part")]


def test_looks_up_size_licence_and_commit(hub: FakeHub) -> None:
    offer = look_up("owner/name", FILE)
    assert offer == Offer("owner/name", FILE, COMMIT, len(CONTENT), hub.etag(FILE), "llama3")
    assert look_up("owner/name", FILE, "main") == offer
    assert hub.downloads == []


def test_fetches_and_installs(hub: FakeHub) -> None:
    model = fetch(look_up("owner/name", FILE))
    assert model.name == "model.Q3_K_L"
    assert model.path.read_bytes() == CONTENT
    assert model.manifest.licence == "llama3"
    assert (model.manifest.source.repo, model.manifest.source.revision) == ("owner/name", COMMIT)
    assert models.find("model.Q3_K_L") == model
    assert parts() == []


def test_goes_on_after_a_dropped_connection(hub: FakeHub) -> None:
    hub.drops = [BREAK]
    assert fetch(look_up("owner/name", FILE)).path.read_bytes() == CONTENT
    assert hub.downloads == [(FILE, None), (FILE, f"bytes={PIECE}-")]


def test_a_later_call_goes_on_where_a_failed_one_stopped(hub: FakeHub) -> None:
    hub.drops, hub.failing = [BREAK], True
    with pytest.raises(UsageError, match="hub cannot give the file"):
        fetch(look_up("owner/name", FILE))
    assert parts() == [PIECE]
    assert models.installed() == ()
    hub.failing = False
    hub.downloads.clear()
    assert fetch(look_up("owner/name", FILE)).path.read_bytes() == CONTENT
    assert hub.downloads == [(FILE, f"bytes={PIECE}-")]
    assert parts() == []


def test_content_that_is_not_the_promised_one_is_thrown_away(hub: FakeHub) -> None:
    hub.served[FILE] = CONTENT[:-1] + b"!"
    with pytest.raises(CorruptError, match="not the promised"):
        fetch(look_up("owner/name", FILE))
    assert parts() == []
    assert models.installed() == ()


def test_a_web_page_is_refused(hub: FakeHub) -> None:
    hub.served[FILE], hub.etags[FILE] = b"<html>please log in</html>", "abc"
    with pytest.raises(CorruptError, match="web page"):
        fetch(look_up("owner/name", FILE))
    assert parts() == []


def test_a_taken_name_is_said_before_anything_is_loaded(hub: FakeHub) -> None:
    fetch(look_up("owner/name", FILE), name="one")
    hub.downloads.clear()
    with pytest.raises(UsageError, match="already a model named"):
        fetch(look_up("owner/name", FILE), name="one")
    assert hub.downloads == []


@pytest.mark.parametrize(
    ("repo", "file", "revision", "word"),
    [
        ("owner/other", "model.gguf", None, "no such repository"),
        ("owner/name", "missing.gguf", None, "no such file"),
        ("owner/name", "model.Q3_K_L.gguf", "v9", "no such revision"),
        ("not a repo/../x", "model.gguf", None, "hub cannot give"),
    ],
)
def test_what_the_hub_does_not_have(hub: FakeHub, repo: str, file: str, revision: str | None, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        look_up(repo, file, revision)


def test_a_hub_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UsageError, match=r"hub cannot be reached: .*[Rr]efused"):
        look_up("owner/name", "model.gguf")


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "huggingface_hub"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UsageError) as caught:
        look_up("owner/name", "model.gguf")
    assert "pip install 'medlora-edge[hub]'" in str(caught.value)
