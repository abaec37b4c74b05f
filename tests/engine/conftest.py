"""One engine process with the tiny model for the tests that do not kill it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from medlora_edge.engine import ContextOptions, Engine


@pytest.fixture(scope="module")
def engine(tiny_gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(log=tmp_path_factory.mktemp("engine") / "engine.log") as started:
        started.load(tiny_gguf)
        started.open(ContextOptions(n_ctx=16384, n_seq_max=4, threads=1))
        yield started
