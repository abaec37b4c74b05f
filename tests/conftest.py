"""What every test may lean on: no network, a home of its own, the tiny model, the pinned source distribution."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from benchmarks.cache import cache_folder
from build_tools.gguf import source_distribution

pytest_plugins = ["tests.real_bundle"]

ROOT = Path(__file__).parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"

settings.register_profile(
    "tests",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # both are about the machine
    derandomize="MEDLORA_NIGHTLY" not in os.environ,
)
settings.load_profile("tests")


@pytest.fixture(autouse=True)
def no_sockets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program opens no socket; the fake hub's tests may, on loopback only."""
    loopback = request.node.get_closest_marker("loopback") is not None
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if loopback and isinstance(address, tuple) and address[0] in {"127.0.0.1", "::1"}:
            return connect(self, address)
        raise AssertionError(f"a socket to {address}")

    monkeypatch.setattr(socket.socket, "connect", guarded)
    if not loopback:
        monkeypatch.setattr(socket.socket, "bind", guarded)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has folders of its own, so none reads or changes the user's."""
    place = tmp_path / "medlora-home"
    monkeypatch.setenv("MEDLORA_HOME", str(place))
    return place


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real Q3_K_L GGUF of a few megabytes with random weights."""
    from benchmarks.random_model import make

    return make("tiny", tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def sdist() -> Path:
    """The unpacked source distribution of the pinned binding: templates, vocabularies, tools."""
    return source_distribution.unpacked(cache_folder())


@pytest.fixture
def converter(home: Path, sdist: Path) -> Path:
    """The converter where `medlora-build fetch converter` puts it."""
    place = home / "data" / "converter" / sdist.name
    place.parent.mkdir(parents=True)
    place.symlink_to(sdist)
    return place


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the public data sets. A machine without them skips, loudly."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the public data sets are not beside the checkout: ../shared/data")
    return SHARED_DATA
