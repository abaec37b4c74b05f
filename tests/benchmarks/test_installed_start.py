"""The start of an installed program: what is said without a bundle, and both sides beside each other with one."""

from pathlib import Path

import pytest

from benchmarks import installed_start
from benchmarks.setup import Setup
from medlora_edge.errors import UsageError
from tests.packaging_setup import toy

INSTALL = """#!/bin/sh
mkdir -p "$2/bin"
printf '#!/bin/sh\\nexit 0\\n' >"$2/bin/medlora-edge"
chmod 755 "$2/bin/medlora-edge"
"""


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    monkeypatch.setattr("benchmarks.quiet.QUIET", 1.0)
    monkeypatch.delenv("MEDLORA_BUNDLE", raising=False)
    (tmp_path / "work").mkdir()
    return Setup(tmp_path / "none.gguf", 1, 1, tmp_path / "work")


def test_without_a_bundle_nothing_is_judged_and_the_way_is_named(setup: Setup) -> None:
    figures = installed_start.measure(setup)
    assert [figure.met for figure in figures] == [None, None]
    assert all("MEDLORA_BUNDLE" in figure.note for figure in figures)


def test_a_folder_without_a_bundle_is_refused(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDLORA_BUNDLE", str(setup.workplace))
    with pytest.raises(UsageError, match="no bundle"):
        installed_start.measure(setup)


def test_the_installed_program_is_measured_beside_the_source_install(
    setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = toy.build(tmp_path / "bundle")
    (bundle / "install.sh").write_text(INSTALL)
    monkeypatch.setenv("MEDLORA_BUNDLE", str(bundle))
    help_, doctor = installed_start.measure(setup)
    assert len(help_.ours) == len(help_.beside) == 1
    assert help_.value is not None
    assert doctor.value is not None
