"""The real portable engine: every CPU variant, on this processor and on emulated older ones (nightly)."""

import os
import shutil
from pathlib import Path

import pytest

from medlora_edge import models
from medlora_edge.engine import Engine
from medlora_edge.engine.backends import variants
from medlora_edge.engine.child import Patience
from medlora_edge.errors import PlatformError
from medlora_edge.models.self_test import run_self_test
from tests import portable_engine
from tests.engine.fake_variants import DIES, compile_variant

pytestmark = [
    pytest.mark.skipif("MEDLORA_NIGHTLY" not in os.environ, reason="builds the portable engine: MEDLORA_NIGHTLY=1"),
    pytest.mark.timeout(3600),
]

# AVX-512 sums in another order than all before it: from some token on a greedy answer may differ between the two
# families, and is the same within each.
AVX512 = {"skylakex", "cannonlake", "cascadelake", "icelake", "cooperlake", "zen4"}
SLOW = Patience(silence=300, batch=600, check=1)  # emulated

Answers = list[tuple[int, ...]]


@pytest.fixture(scope="module")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return portable_engine.python(tmp_path_factory.mktemp("portable"))


@pytest.fixture
def portable(interpreter: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """From here on an Engine is the portable one; gives its folder of libraries."""
    monkeypatch.setattr("medlora_edge.engine.child.sys.executable", str(interpreter))
    return portable_engine.libraries(interpreter)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "state" / "engine.log"


def answers(log: Path, variant: str | None = None) -> tuple[str, Answers]:
    """The variant in use and what it answers to fixed words."""
    with Engine(log=log, variant=variant, patience=SLOW) as engine:
        done = run_self_test(engine, models.find("starter"))
        return engine.ready.variant, [answer.tokens for answer in done.answers]


def emulate(interpreter: Path, cpu: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on an Engine runs on an emulated processor."""
    qemu = shutil.which("qemu-x86_64")
    if qemu is None:
        pytest.skip("qemu-x86_64 is not installed (Debian: qemu-user)")
    program = folder / "python"
    program.write_text(f'#!/bin/sh\nexec {qemu} -cpu {cpu} {interpreter} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr("medlora_edge.engine.child.sys.executable", str(program))


def test_the_best_variant_for_this_processor_is_taken(portable: Path, log: Path) -> None:
    best = variants(portable)[0]
    with Engine(log=log) as engine:
        assert engine.ready.variant == best.name
        assert not engine.ready.gpu_offload
        maps = Path(f"/proc/{engine.pid}/maps").read_text()
    libraries = {Path(line.split()[-1]).name for line in maps.splitlines() if "libggml" in line}
    assert libraries == {"libggml.so", "libggml-base.so", best.path.name}


def test_answers_are_the_same_within_each_family(portable: Path, log: Path) -> None:
    able = [variant.name for variant in variants(portable) if variant.score > 0]
    told = {name: answers(log, name) for name in able}
    assert all(name == used for name, (used, _) in told.items())
    for family in (AVX512 & set(able), set(able) - AVX512 - {"sapphirerapids"}):
        assert len({tuple(tokens) for name, (_, tokens) in told.items() if name in family}) <= 1


@pytest.mark.parametrize(
    ("cpu", "variant"),
    [
        ("Nehalem", "sse42"),
        ("SandyBridge", "sandybridge"),
        ("IvyBridge", "ivybridge"),
        ("Haswell", "haswell"),
        ("Skylake-Server", "haswell"),  # the emulator has no AVX-512
        ("Haswell,-xsave", "sse42"),  # AVX is promised, and masked by the system: each of its variants dies
    ],
)
def test_an_emulated_processor_gets_its_variant_and_the_same_answers(
    portable: Path,
    interpreter: Path,
    log: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cpu: str,
    variant: str,
) -> None:
    _, here = answers(log, variant)
    emulate(interpreter, cpu, tmp_path, monkeypatch)
    assert answers(log) == (variant, here)


def test_a_processor_below_the_least_is_refused_in_words(
    interpreter: Path, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulate(interpreter, "qemu64", tmp_path, monkeypatch)
    with pytest.raises(PlatformError, match="x86-64-v2"):
        answers(log)


def test_what_was_planted_is_never_run(portable: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = compile_variant(log.parent, "planted", score=1_000_000, init=DIES)
    monkeypatch.setenv("GGML_BACKEND_PATH", str(planted))
    monkeypatch.setenv("LLAMA_CPP_LIB_PATH", str(planted.parent))
    with Engine(log=log) as engine:
        assert engine.ready.variant == variants(portable)[0].name
        assert str(planted) not in Path(f"/proc/{engine.pid}/maps").read_text()


def test_one_that_dies_steps_down_once(portable: Path, log: Path) -> None:
    best = variants(portable)[0].name
    dying = compile_variant(portable, "dying", score=1_000_000, init=DIES)
    try:
        for _ in range(2):
            with Engine(log=log) as engine:
                assert engine.ready.variant == best
    finally:
        dying.unlink()
    assert log.read_text().count("CPU variant dying failed its self-test: SIGILL") == 1
