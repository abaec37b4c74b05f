"""Native files: what they need is found, carried, and found again where it lies."""

import os
import subprocess
from pathlib import Path

import pytest

from medlora_bundle import native_files
from medlora_bundle.native_check import glibc_min, wanted
from medlora_edge.errors import GateError, UsageError


def compiled(target: Path, code: str, *options: str) -> Path:
    target.parent.mkdir(exist_ok=True)
    command = ["cc", "-o", str(target), "-x", "c", "-", "-x", "none", *options]
    subprocess.run(command, input=code, text=True, check=True)
    return target


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program that prints what its library, in a folder of its own, says."""
    library = compiled(
        tmp_path / "lib" / "libone.so.1", "int one(void) { return 1; }", "-shared", "-Wl,-soname,libone.so.1"
    )
    code = '#include <stdio.h>\nint one(void);\nint main(void) { printf("%d", one()); }'
    return compiled(tmp_path / "bin" / "program", code, str(library))


def run(program: Path, **environment: str) -> str:
    done = subprocess.run(
        [str(program)], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    return done.stdout


def test_a_run_path_moves_with_the_folder(program: Path, tmp_path: Path) -> None:
    assert run(program) == ""
    native_files.strip(program)
    native_files.set_run_path(program, "$ORIGIN/../lib")
    assert run(program) == "1"
    for folder in ("bin", "lib"):
        (tmp_path / "é t").mkdir(exist_ok=True)
        (tmp_path / folder).rename(tmp_path / "é t" / folder)
    assert run(tmp_path / "é t" / "bin" / "program") == "1"


def test_no_variable_overrides_it(program: Path, tmp_path: Path) -> None:
    native_files.set_run_path(program, "$ORIGIN/../lib")
    compiled(tmp_path / "other" / "libone.so.1", "int one(void) { return 2; }", "-shared", "-Wl,-soname,libone.so.1")
    assert run(program, LD_LIBRARY_PATH=str(tmp_path / "other")) == "1"


def test_what_is_missing_is_named(program: Path) -> None:
    with pytest.raises(GateError, match=r"libone\.so\.1"):
        native_files.closure([program])
    with pytest.raises(GateError, match=r"libnone\.so\.9"):
        native_files.system_library("libnone.so.9")


def test_the_closure_is_all_but_glibc(program: Path, tmp_path: Path) -> None:
    native_files.set_run_path(program, "$ORIGIN/../lib")
    assert native_files.closure([program]) == {"libone.so.1": tmp_path / "bin" / ".." / "lib" / "libone.so.1"}


def test_a_tree_wants_what_is_not_in_it(program: Path, tmp_path: Path) -> None:
    (tmp_path / "bin" / "text").write_text("no native file")
    assert wanted(tmp_path) == ()
    assert wanted(program.parent) == ("libone.so.1",)
    assert glibc_min(tmp_path).startswith("2.")
    with pytest.raises(GateError, match=r"libone\.so\.1"):
        glibc_min(program.parent)


def test_what_fails_says_why(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no native file")
    with pytest.raises(GateError, match="strip failed"):
        native_files.strip(tmp_path / "text")


def test_a_missing_tool_is_named(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UsageError, match="strip is not installed"):
        native_files.strip(program)
