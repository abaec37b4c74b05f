"""One tiny base in bf16 and one adapter for it, made once."""

from pathlib import Path

import pytest

from tests.build_tools.merging import makers


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Llama's layout, untied head."""
    return makers.base(tmp_path_factory.mktemp("bases") / "llama")


@pytest.fixture(scope="session")
def adapter(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Path:
    """LoRA on all linear layers of `base`."""
    return makers.adapter(tmp_path_factory.mktemp("adapters") / "all", base)


@pytest.fixture(scope="session")
def merged(tmp_path_factory: pytest.TempPathFactory, base: Path, adapter: Path) -> Path:
    """`adapter` merged onto `base` as it is stored."""
    from build_tools.merging.merge import merge

    out = tmp_path_factory.mktemp("merged") / "full"
    merge(base, [adapter], out, onto="full")
    return out
