"""A base from a hub on this machine: only what training needs, whole or absent, and found again without a network."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from build_tools.bases.fetch import fetch, look_up
from build_tools.bases.resolve import resolve
from build_tools.recipe.schema import Base
from medlora_edge.errors import CorruptError, UsageError
from tests.fake_hub import COMMIT, FakeHub, serving

BASE = Base(hub="owner/name", revision=COMMIT, licence="llama3")
FILES = {
    "config.json": b'{"model_type": "llama"}',
    "tokenizer.json": b"{}",
    "chat_template.jinja": b"{{ messages }}",
    "model.safetensors": bytes(3 << 20),
}
UNWANTED = {"pytorch_model.bin": b"pickle", "model.gguf": b"GGUF", "original/params.json": b"{}", "README.md": b"#"}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with serving(FakeHub({**FILES, **UNWANTED})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.mark.loopback
def test_it_says_size_and_licence_before_anything_is_loaded(hub: FakeHub) -> None:
    offer = look_up(BASE)
    assert (offer.repo, offer.revision, offer.licence) == ("owner/name", COMMIT, "llama3")
    assert {file.name for file in offer.files} == set(FILES)
    assert offer.size_bytes == sum(map(len, FILES.values()))
    assert hub.downloads == []


@pytest.mark.loopback
def test_it_fetches_what_training_needs_and_finds_it_again(hub: FakeHub) -> None:
    folder = fetch(look_up(BASE))
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == FILES
    assert resolve(BASE, Path()) == folder
    assert resolve(BASE.model_copy(update={"revision": None}), Path()) == folder
    hub.downloads.clear()
    assert fetch(look_up(BASE)) == folder
    assert hub.downloads == []


@pytest.mark.loopback
def test_content_that_is_not_the_promised_one_is_refused_and_fetched_anew(hub: FakeHub) -> None:
    hub.served["model.safetensors"] = bytes((3 << 20) - 1) + b"!"
    with pytest.raises(CorruptError, match="not the promised one"):
        fetch(look_up(BASE))
    with pytest.raises(UsageError, match="not on this machine"):
        resolve(BASE, Path())
    hub.served.clear()
    assert (fetch(look_up(BASE)) / "model.safetensors").read_bytes() == FILES["model.safetensors"]


@pytest.mark.loopback
def test_after_a_broken_transfer_the_same_command_goes_on(hub: FakeHub) -> None:
    hub.drops, hub.failing = [1 << 20], True
    with pytest.raises(UsageError, match="hub cannot give"):
        fetch(look_up(BASE))
    hub.failing, done = False, len(hub.downloads)
    assert resolve_or_none() is None
    assert (fetch(look_up(BASE)) / "model.safetensors").read_bytes() == FILES["model.safetensors"]
    assert "config.json" not in {name for name, _ in hub.downloads[done:]}


@pytest.mark.loopback
def test_a_hub_that_went_away_is_not_called_an_empty_one(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    offer = look_up(BASE)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    for attempt in (lambda: look_up(BASE), lambda: fetch(offer)):
        with pytest.raises(UsageError, match="hub cannot be reached"):
            attempt()
    assert hub.downloads == []


def resolve_or_none() -> Path | None:
    try:
        return resolve(BASE, Path())
    except UsageError:
        return None


@pytest.mark.loopback
def test_pickled_weights_are_refused(hub: FakeHub) -> None:
    del hub.files["model.safetensors"]
    with pytest.raises(UsageError, match="no weights as safetensors"):
        look_up(BASE)


@pytest.mark.loopback
def test_a_repository_that_is_not_there(hub: FakeHub) -> None:
    with pytest.raises(UsageError, match="no such repository"):
        look_up(BASE.model_copy(update={"hub": "owner/other"}))


def test_without_a_network_the_command_is_named() -> None:
    with pytest.raises(UsageError, match="owner/name is not on this machine") as caught:
        resolve(BASE, Path())
    assert "medlora-build fetch" in str(caught.value)


def test_a_folder_is_taken_from_beside_the_recipe(scratch_base: Path) -> None:
    base = Base(folder=Path(scratch_base.name), licence="mit")
    assert resolve(base, scratch_base.parent) == scratch_base
    with pytest.raises(UsageError, match=r"no config\.json"):
        resolve(base, Path("/nowhere"))
