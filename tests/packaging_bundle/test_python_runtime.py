"""The bundle's Python runs in any folder, takes nothing from the machine but glibc, and nothing from its caller."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from medlora_bundle.native_files import FROM_THE_LAPTOP
from medlora_bundle.python_runtime import VERSION, compile_folder
from medlora_edge.errors import GateError

SHARED = "asyncio, bz2, ctypes, curses, hashlib, lzma, sqlite3, ssl, sysconfig, uuid, zlib"
MAPPED = "sorted({line.split(maxsplit=5)[5].strip() for line in open('/proc/self/maps') if '.so' in line})"


def output(unpacked: Path, code: str, environment: Mapping[str, str] | None = None) -> str:
    command = [str(unpacked / "python" / "bin" / VERSION), "-I", "-c", code]
    done = subprocess.run(command, env=dict(environment or {}), capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_it_lies_where_no_one_planned_for(unpacked: Path) -> None:
    assert not str(unpacked).isascii()
    assert " " in str(unpacked)
    assert output(unpacked, "import sys; print(sys.executable)") == str(unpacked / "python" / "bin" / VERSION)


def test_every_library_is_its_own_or_of_glibc(unpacked: Path) -> None:
    mapped = output(unpacked, f"import {SHARED}, numpy, nacl.bindings, sqlcipher3.dbapi2; print(*{MAPPED}, sep='\\n')")
    foreign = [path for path in mapped.splitlines() if not Path(path).is_relative_to(unpacked)]
    assert len(mapped.splitlines()) > 20
    assert [path for path in foreign if not FROM_THE_LAPTOP.fullmatch(Path(path).name)] == []


def test_it_knows_its_own_folders_alone(unpacked: Path, tmp_path: Path) -> None:
    """Whatever the environment says, code comes from the bundle."""
    planted = tmp_path / "planted"
    planted.mkdir()
    (planted / "ssl.py").write_text("raise SystemExit('planted')\n")
    hostile = {"PYTHONPATH": str(planted), "PYTHONHOME": str(planted), "PYTHONUSERBASE": str(planted)}
    code = f"import sys, {SHARED}; print(*sys.path, sep='\\n')"
    for path in output(unpacked, code, hostile).splitlines():
        assert Path(path).resolve().is_relative_to(unpacked)


def test_a_planted_library_is_not_loaded(unpacked: Path, tmp_path: Path) -> None:
    (tmp_path / "libffi.so.8").write_bytes(b"not a library")
    code = "import ctypes; print('loaded')"
    assert output(unpacked, code, {"LD_LIBRARY_PATH": str(tmp_path)}) == "loaded"


def test_every_language_setting_reads_and_prints_text(unpacked: Path) -> None:
    for setting in ({}, {"LC_ALL": "C"}, {"LC_ALL": "POSIX"}, {"LANG": "xx_XX"}):
        assert output(unpacked, "print('é')", setting) == "é"


def test_every_module_of_the_app_is_there(unpacked: Path) -> None:
    """What was left out is imported by nothing that ships."""
    code = """
import importlib, pkgutil, medlora_edge, medlora_setup
for package in (medlora_edge, medlora_setup):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
print("all")
"""
    assert output(unpacked, code) == "all"


def test_what_nobody_imports_is_left_out(unpacked: Path) -> None:
    library = unpacked / "python" / "lib" / VERSION
    for name in ("test", "idlelib", "tkinter", "ensurepip", "lib2to3", "turtle.py", "site-packages/pip"):
        assert not (library / name).exists()
    left = {path.name.split(".")[0] for path in (library / "lib-dynload").iterdir()}
    assert {"_ssl", "_ctypes", "_sqlite3"} <= left
    assert not left & {"readline", "nis", "_tkinter", "_testcapi"}


def test_byte_code_is_never_stale(unpacked: Path) -> None:
    """Flags word 1: checked against nothing, so neither time nor place of a copy matters. One for every module."""
    sources, compiled = list(unpacked.rglob("*.py")), list(unpacked.rglob("*.pyc"))
    assert len(sources) == len(compiled) > 1000
    assert {path.read_bytes()[4:8] for path in compiled} == {b"\x01\0\0\0"}


def test_no_settings_of_the_builders_python_remain(unpacked: Path) -> None:
    assert output(unpacked, "import sysconfig; print(sysconfig.get_config_var('CFLAGS'))") == "None"


def test_each_copied_library_has_its_licence(unpacked: Path) -> None:
    licences = unpacked / "python" / "share" / "licences"
    packages = {entry["library"]: entry["package"] for entry in json.loads((licences / "packages.json").read_text())}
    copied = {path.name for path in (unpacked / "python" / "lib").glob("*.so*") if "libpython" not in path.name}
    assert copied == packages.keys()
    for package in packages.values():
        assert (licences / package / "copyright").stat().st_size > 200


@pytest.mark.parametrize("program", ["medlora-edge", "medlora-setup"])
def test_the_launchers_need_nothing_of_the_environment(unpacked: Path, program: str, tmp_path: Path) -> None:
    """Through two links as on the laptop, from another folder, with an environment that means harm."""
    (tmp_path / "current").symlink_to(unpacked)
    (tmp_path / program).symlink_to(tmp_path / "current" / "bin" / program)
    hostile = {
        "PYTHONPATH": "/",
        "PYTHONHOME": "/",
        "GGML_BACKEND_PATH": "/x",
        "OPENSSL_CONF": "/x",
        "LD_AUDIT_": "x\nLD_B=1",
    }
    environment = {"PATH": os.defpath, "HOME": str(tmp_path), **hostile}
    command = [str(tmp_path / program), "--help"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout.lower()


def test_the_launcher_hands_on_what_is_the_users(unpacked: Path, tmp_path: Path) -> None:
    """The environment that a launcher passes on, seen through a program that takes the interpreter's place."""
    program = tmp_path / "bin" / "medlora-edge"
    program.parent.mkdir()
    program.write_bytes((unpacked / "bin" / "medlora-edge").read_bytes())
    program.chmod(0o755)
    seen = tmp_path / "python" / "bin" / VERSION
    seen.parent.mkdir(parents=True)
    seen.write_text("#!/bin/sh\nenv\n")
    seen.chmod(0o755)
    given = {
        "PATH": os.defpath,
        "MEDLORA_HOME": "/é",
        "TERM": "xterm",
        "GGML_X": "1",
        "LLAMA_CPP_LIB_PATH": "/",
        "PYTHONX": "1",
    }
    done = subprocess.run([str(program)], env=given, capture_output=True, text=True, check=True)
    passed = dict(line.partition("=")[::2] for line in done.stdout.splitlines())
    assert {"MEDLORA_HOME", "TERM"} <= passed.keys()
    assert not {"GGML_X", "LLAMA_CPP_LIB_PATH", "PYTHONX"} & passed.keys()


def test_a_module_that_does_not_compile_is_named(unpacked: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def\n")
    with pytest.raises(GateError, match=r"broken\.py"):
        compile_folder(unpacked / "python", tmp_path)
