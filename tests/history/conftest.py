"""A place for kept chats, and a clock that tests turn."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from medlora_edge.history import Store, attempts, private
from tests.history.support import keep


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(attempts, "time", clock)
    return clock


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "history"


@pytest.fixture(params=["private", "kept"])
def store(request: pytest.FixtureRequest, folder: Path) -> Iterator[Store]:
    """A store of either kind: they differ in nothing but where the bytes are."""
    with private() if request.param == "private" else keep(folder)[0] as opened:
        yield opened
