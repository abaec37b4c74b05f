"""The engine takes the best CPU variant that works, by its absolute path, and remembers which it was."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from medlora_edge import paths
from medlora_edge.engine import Engine, backends, trial, variant_memory
from medlora_edge.engine.apart import Died, apart
from medlora_edge.engine.backends import NATIVE, NoVariantError, TrialError, load, variants
from medlora_edge.engine.native import register_backend
from medlora_edge.errors import ExitCode, PlatformError
from tests.engine.fake_variants import DIES, LIVES, REFUSES, begin, compile_variant, mapped

Loader = Callable[[Path], bool]


@pytest.fixture
def lib(tmp_path: Path) -> Path:
    """Three variants: the best one dies, the next one lives, the third cannot run here."""
    folder = tmp_path / "lib"
    compile_variant(folder, "best", score=9, init=DIES)
    compile_variant(folder, "good", score=4, init=LIVES)
    compile_variant(folder, "other", score=0, init=LIVES)
    return folder


def chosen(lib: Path, *, memory: Path | None = None, forced: str | None = None, trial: Loader = begin) -> str:
    """The choice, made in a process of its own: what is mapped stays there."""
    return apart(lambda: load(lib, begin, trial, memory=memory, forced=forced))


def never(library: Path) -> bool:
    raise AssertionError(f"{library.name} was tried again")


def test_variants_come_best_first_with_what_they_think_of_this_processor(lib: Path) -> None:
    assert [(variant.name, variant.score) for variant in variants(lib)] == [("best", 9), ("good", 4), ("other", 0)]
    assert all(variant.path.is_absolute() for variant in variants(lib))


def test_asking_for_scores_maps_nothing_here(lib: Path) -> None:
    variants(lib)
    assert not mapped() & {path.name for path in lib.iterdir()}


def test_one_that_dies_on_its_self_test_steps_down(lib: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert chosen(lib) == "good"
    assert "CPU variant best failed its self-test: SIGILL" in capfd.readouterr().err


def test_one_that_llama_cpp_refuses_steps_down(lib: Path) -> None:
    compile_variant(lib, "best", score=9, init=REFUSES)
    assert chosen(lib) == "good"


def test_one_that_hangs_on_its_self_test_is_ended() -> None:
    def hang() -> str:
        signal.pause()
        return "awake"

    with pytest.raises(Died, match="SIGALRM"):
        apart(hang, seconds=1)


@pytest.mark.parametrize("score", [DIES, "_exit(3);"])
def test_one_that_dies_while_asked_for_its_score_counts_as_none(lib: Path, score: str) -> None:
    compile_variant(lib, "best", score=score)
    assert [variant.score for variant in variants(lib) if variant.name == "best"] == [0]


def test_what_is_no_library_counts_as_none(lib: Path) -> None:
    (lib / "libggml-cpu-best.so").write_text("no library")
    assert chosen(lib) == "good"


def test_exactly_one_variant_is_mapped(lib: Path) -> None:
    def names() -> str:
        load(lib, begin, begin, memory=None, forced=None)
        return " ".join(mapped())

    assert apart(names) == "libggml-cpu-good.so"


def test_nothing_is_taken_from_the_current_folder_or_the_environment(lib: Path, tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    compile_variant(planted, "planted", score=99)
    compile_variant(planted, "good", score=99)

    def paths() -> str:
        os.chdir(planted)
        os.environ |= {"GGML_BACKEND_PATH": str(planted / "libggml-cpu-planted.so"), "LD_LIBRARY_PATH": str(planted)}
        load(lib, begin, begin, memory=None, forced=None)
        return Path("/proc/self/maps").read_text()

    assert str(planted) not in apart(paths)


def test_none_that_works_is_said_with_names(lib: Path) -> None:
    compile_variant(lib, "good", score=4, init=DIES)
    with pytest.raises(NoVariantError, match="tried: best, good"):
        load(lib, begin, begin, memory=None, forced=None)


def test_none_that_fits_is_said(tmp_path: Path) -> None:
    compile_variant(tmp_path / "lib", "other", score=0)
    with pytest.raises(NoVariantError, match="tried: none"):
        load(tmp_path / "lib", begin, begin, memory=None, forced=None)


def test_other_deaths_than_by_an_instruction_are_named_and_no_fault_of_the_processor(lib: Path) -> None:
    compile_variant(lib, "good", score=4, init="_exit(3);")
    with pytest.raises(TrialError, match=r"best: SIGILL, good: exit code 3"):
        load(lib, begin, begin, memory=None, forced=None)


def test_a_build_for_one_machine_has_nothing_to_load(tmp_path: Path) -> None:
    assert variants(tmp_path) == ()
    assert load(tmp_path, never, never, memory=None, forced=None) == NATIVE
    assert load(tmp_path, never, never, memory=None, forced=NATIVE) == NATIVE


def test_one_can_be_forced(lib: Path, tmp_path: Path) -> None:
    assert chosen(lib, forced="other", memory=tmp_path / "memory") == "other"
    assert not (tmp_path / "memory").exists()


@pytest.mark.parametrize(("forced", "sentence"), [("nosuch", "it has best, good, other"), ("refuses", "cannot run")])
def test_one_that_cannot_be_forced_is_refused(lib: Path, forced: str, sentence: str) -> None:
    if forced == "refuses":
        compile_variant(lib, "refuses", score=1, init=REFUSES)
    with pytest.raises(NoVariantError, match=sentence):
        load(lib, begin, begin, memory=None, forced=forced)


def test_a_choice_is_made_once(lib: Path, tmp_path: Path) -> None:
    memory = tmp_path / "memory.json"
    assert chosen(lib, memory=memory) == "good"
    assert memory.stat().st_mode & 0o777 == 0o600
    assert chosen(lib, memory=memory, trial=never) == "good"


def test_a_choice_is_made_anew_on_another_processor(lib: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = tmp_path / "memory.json"
    chosen(lib, memory=memory)
    monkeypatch.setattr(variant_memory, "_processor", lambda: "flags: none")
    compile_variant(lib, "best", score=9, init=LIVES)
    assert chosen(lib, memory=memory) == "best"


def test_a_choice_is_made_anew_with_other_libraries(lib: Path, tmp_path: Path) -> None:
    memory = tmp_path / "memory.json"
    chosen(lib, memory=memory)
    with (lib / "libggml-cpu-good.so").open("r+b") as library:
        library.seek(-1, os.SEEK_END)
        library.write(b"\x7f")
    assert variant_memory.recall(memory, {"good": lib / "libggml-cpu-good.so"}) is None


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"[]", b"null", b'{"variant": "../../planted"}', b'{"variant": ["good"]}', b'{"variant": "good"}'],
)
def test_a_damaged_memory_is_no_memory(lib: Path, tmp_path: Path, content: bytes) -> None:
    memory = tmp_path / "memory.json"
    memory.write_bytes(content)
    assert chosen(lib, memory=memory) == "good"
    assert json.loads(memory.read_bytes())["variant"] == "good"


def test_a_remembered_one_that_is_refused_now_is_chosen_anew(lib: Path, tmp_path: Path) -> None:
    memory = tmp_path / "memory.json"
    compile_variant(lib, "best", score=9)
    assert chosen(lib, memory=memory) == "best"

    def refuse_best() -> str:
        def register(library: Path) -> bool:
            return "best" not in library.name and begin(library)

        return load(lib, register, register, memory=memory, forced=None)

    assert apart(refuse_best) == "good"


def test_a_memory_that_cannot_be_written_costs_nothing_else(lib: Path, tmp_path: Path) -> None:
    assert chosen(lib, memory=tmp_path / "missing" / "memory.json") == "good"


def test_the_self_test_computes_with_the_model_that_ships(lib: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "register_backend", begin)
    assert apart(lambda: str(trial.decodes(lib / "libggml-cpu-good.so"))) == "True"


@pytest.mark.parametrize("bytes_left", [0, 100, 1_000_000])
def test_a_model_that_cannot_be_loaded_says_nothing_about_a_variant(
    lib: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bytes_left: int
) -> None:
    (shipped,) = (paths.shipped_models_dir() or Path()).glob("starter/*.gguf")
    (tmp_path / "shipped" / "starter").mkdir(parents=True)
    (tmp_path / "shipped" / "starter" / shipped.name).write_bytes(shipped.read_bytes()[:bytes_left])
    monkeypatch.setattr(paths, "shipped_models_dir", lambda: tmp_path / "shipped")
    monkeypatch.setattr(trial, "register_backend", begin)
    assert apart(lambda: str(trial.decodes(lib / "libggml-cpu-good.so"))) == "True"


def test_the_self_test_fails_with_numbers_that_are_none(lib: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "register_backend", begin)
    monkeypatch.setattr("medlora_edge.engine.trial.Context.logits", lambda *_: np.full(8, np.nan, np.float32))
    assert apart(lambda: str(trial.decodes(lib / "libggml-cpu-good.so"))) == "False"


def test_llama_cpp_itself_is_asked_to_register(tmp_path: Path) -> None:
    refusing = compile_variant(tmp_path / "a folder, é", "refuses", score=1, init=REFUSES)
    assert apart(lambda: str(register_backend(refusing))) == "False"
    assert apart(lambda: str(trial.decodes(refusing))) == "False"


def test_the_engine_names_its_variant(engine: Engine) -> None:
    names = {variant.name for variant in variants(backends.library_folder())}
    assert engine.ready.variant in (names or {NATIVE})


def test_a_forced_variant_that_is_not_there_ends_in_a_sentence(tmp_path: Path, tiny_gguf: Path) -> None:
    with Engine(log=tmp_path / "engine.log", variant="nosuch") as engine:
        with pytest.raises(PlatformError, match="the CPU variant nosuch") as refused:
            _ = engine.ready
        with pytest.raises(PlatformError, match="the CPU variant nosuch"):
            engine.load(tiny_gguf)
    assert refused.value.code == ExitCode.PLATFORM
    assert "this build has no CPU variant nosuch" in (tmp_path / "engine.log").read_text()


def test_a_processor_below_the_least_ends_in_a_sentence(
    tmp_path: Path, tiny_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nkill -ILL $$\n")
    python.chmod(0o755)
    monkeypatch.setattr("medlora_edge.engine.child.sys.executable", str(python))
    with Engine(log=tmp_path / "engine.log") as engine, pytest.raises(PlatformError, match="x86-64-v2"):
        engine.load(tiny_gguf)


def test_without_a_log_nothing_is_remembered() -> None:
    with Engine(log=Path(os.devnull)) as engine:
        assert engine.ready.variant
    assert not Path("/dev/engine-variant.json").exists()
