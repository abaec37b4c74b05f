"""A tiny base that has learned to answer, a LoRA fine-tune that answers otherwise, and all GGUFs made of them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from build_tools.data.rows import Row
from build_tools.gguf.adapter import convert_adapter
from build_tools.gguf.converter import convert
from build_tools.gguf.quality import Pair
from build_tools.gguf.quantise import quantise
from tests.build_tools.gguf import makers


@dataclass(frozen=True)
class Models:
    """Folders as Hugging Face has them."""

    base: Path
    adapter: Path
    merged: Path


@dataclass(frozen=True)
class Files:
    """The same as GGUF."""

    base: Pair
    tuned: Pair
    adapter: Path


@pytest.fixture(scope="session")
def fetched(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """As fixture `converter`, for what is made once for all tests."""
    home = tmp_path_factory.mktemp("home-of-the-converter")
    place = home / "data" / "converter" / sdist.name
    place.parent.mkdir(parents=True)
    place.symlink_to(sdist)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDLORA_HOME", str(home))
        yield


@pytest.fixture(scope="session")
def models(scratch_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Models:
    """A model that says yes, and its fine-tune that says no."""
    from peft import LoraConfig, get_peft_model

    from build_tools.bases.loading import load

    place = tmp_path_factory.mktemp("models")
    model = load(scratch_base, 32)
    yes = makers.rows(scratch_base, "yes. Studies show that {0} does help in {1}.")[::2]
    makers.learn(model, [replace(row, labels=row.input_ids) for row in yes], steps=100)
    base = makers.save(model, place / "base", scratch_base)
    lora = LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")
    tuned = get_peft_model(model, lora)
    makers.learn(tuned, makers.rows(base, makers.NO)[::2], steps=150)
    tuned.save_pretrained(place / "adapter")
    return Models(base, place / "adapter", makers.save(tuned.merge_and_unload(), place / "merged", base))


@pytest.fixture(scope="session")
def files(models: Models, fetched: None, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Base and fine-tune in F16 and Q3_K_L, and the adapter by itself. Do not write into them."""
    place = tmp_path_factory.mktemp("ggufs")
    convert_adapter(models.adapter, models.base, place / "adapter.gguf")
    base, tuned = (_pair(folder, place) for folder in (models.base, models.merged))
    return Files(base, tuned, place / "adapter.gguf")


@pytest.fixture(scope="session")
def held_out(models: Models) -> list[Row]:
    """Questions that neither stage has seen, answered as the fine-tune does."""
    return makers.rows(models.base, makers.NO)[1::2]


def _pair(folder: Path, place: Path) -> Pair:
    pair = Pair(place / f"{folder.name}-f16.gguf", place / f"{folder.name}-q3_k_l.gguf")
    convert(folder, pair.f16)
    quantise(pair.f16, pair.quantised, "Q3_K_L")
    return pair
