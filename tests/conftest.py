"""What every test may lean on: no network, a home of its own, the tiny model, the pinned source distribution."""

import hashlib
import os
import socket
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"
SDIST = "llama_cpp_python-0.3.36"
SDIST_SHA256 = "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"


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


def _cache(pytestconfig: pytest.Config) -> Path:
    """Large, slow-to-make inputs, kept between runs."""
    place = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "medlora-edge-tests"
    place.mkdir(parents=True, exist_ok=True)
    return place


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real Q3_K_L GGUF of a few megabytes with random weights."""
    from benchmarks.random_model import make

    return make("tiny", tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def sdist(pytestconfig: pytest.Config) -> Path:
    """The unpacked source distribution of the pinned binding: templates, vocabularies, tools."""
    cache = _cache(pytestconfig)
    archive = cache / f"{SDIST}.tar.gz"
    if not archive.exists():
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*command, "--dest", str(cache), "llama-cpp-python==0.3.36"], check=True)
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == SDIST_SHA256
    root = cache / SDIST
    if not root.exists():
        with tarfile.open(archive) as tar:
            tar.extractall(cache, filter="data")
    return root


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the public data sets. A machine without them skips, loudly."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the public data sets are not beside the checkout: ../shared/data")
    return SHARED_DATA
