"""The measured life of a bundle: what is said without one, and every step really taken with one."""

from pathlib import Path

import pytest

from benchmarks import bundle_life
from benchmarks.setup import Setup
from medlora_setup.manifest import read
from tests.packaging_setup import toy
from tests.packaging_setup.laptop import toy_of

INSTALL_SH = Path(__file__).parents[2] / "packaging" / "install.sh"


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    monkeypatch.delenv("MEDLORA_BUNDLE", raising=False)
    monkeypatch.setattr(bundle_life, "CHATS_BYTES", 1000)
    (tmp_path / "work").mkdir()
    return Setup(tmp_path / "none.gguf", 1, 1, tmp_path / "work")


def test_without_a_bundle_nothing_is_judged_and_the_way_is_named(setup: Setup) -> None:
    figures = bundle_life.measure(setup)
    assert [figure.met for figure in figures] == [None] * 3
    assert all("MEDLORA_BUNDLE" in figure.note for figure in figures)


def test_from_the_stick_to_an_answer_and_back(setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = toy.build(tmp_path / "bundle", toy_of(7))
    (bundle / "install.sh").write_bytes(INSTALL_SH.read_bytes())
    toy.sign(bundle, toy.relisted(read((bundle / "manifest.json").read_bytes()), bundle))
    monkeypatch.setenv("MEDLORA_BUNDLE", str(bundle))
    size, answer, back = bundle_life.measure(setup)
    manifest = read((bundle / "manifest.json").read_bytes())
    assert size.value == pytest.approx(sum(file.size for file in manifest.files if "models" not in file.path) / 1e6)
    assert len(answer.ours) == len(back.ours) == 1
    assert not (setup.workplace / "life").exists()
