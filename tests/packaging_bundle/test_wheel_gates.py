"""Every way in which an engine wheel may not ship, each made for real and each found by name."""

import warnings
import zipfile
from pathlib import Path

import pytest

from medlora_bundle import wheel_files, wheel_gates
from medlora_edge.errors import CorruptError, ExitCode, GateError
from tests.packaging_bundle.toy_engine import DIST_INFO, LIB, NAME, base, files, library, linked

VARIANT = f"{LIB}libggml-cpu-haswell.so"
NOTHING = "int nothing(void) { return 0; }"


def findings(changed: dict[str, bytes | None], folder: Path) -> str:
    """What the gates say of a good wheel with these files changed (None: left out)."""
    content = {name: data for name, data in (files() | changed).items() if data is not None}
    wheel_files.write(content, folder / NAME)
    with pytest.raises(GateError) as refused:
        wheel_gates.check(folder / NAME)
    assert refused.value.code == ExitCode.GATE
    return refused.value.what


def test_a_good_wheel_passes(tmp_path: Path) -> None:
    wheel_files.write(files(), tmp_path / NAME)
    wheel_gates.check(tmp_path / NAME)


def test_there_are_fourteen_variants() -> None:
    assert len(wheel_gates.VARIANTS) == 14


@pytest.mark.parametrize("name", [VARIANT, f"{LIB}libllama.so"])
def test_a_missing_library(tmp_path: Path, name: str) -> None:
    assert f"{name}: missing" in findings({name: None}, tmp_path)


def test_a_variant_too_many(tmp_path: Path) -> None:
    assert "libggml-cpu-native.so: one too many" in findings({f"{LIB}libggml-cpu-native.so": linked(NOTHING)}, tmp_path)


@pytest.mark.parametrize(
    "name",
    ["lib/libllama.so", "bin/llama-cli", f"{LIB}libggml.so.0", f"{LIB}libllama-common.so", "llama_cpp/include/ggml.h"],
)
def test_a_file_that_does_not_belong(tmp_path: Path, name: str) -> None:
    assert f"{name}: does not belong into it" in findings({name: b"x"}, tmp_path)


def test_a_library_by_another_name_than_its_own(tmp_path: Path) -> None:
    old = linked(NOTHING, soname="libggml.so.0")
    assert "calls itself libggml.so.0, so it could be loaded twice" in findings({f"{LIB}libggml.so": old}, tmp_path)


@pytest.mark.parametrize("call", ["socket", "connect", "getaddrinfo", "sendto", "gethostbyname_r"])
def test_a_network_call(tmp_path: Path, call: str) -> None:
    caller = linked(f"int {call}(); int use(void) {{ return {call}(); }}")
    assert f"{VARIANT}: imports {call}," in findings({VARIANT: caller}, tmp_path)


def test_a_library_from_elsewhere(tmp_path: Path) -> None:
    curl = library(NOTHING, soname="libcurl.so.4")
    (tmp_path / "libcurl.so").write_bytes(curl)
    needy = linked(NOTHING, f"-L{tmp_path}", "-lcurl")
    assert f"{VARIANT}: needs libcurl.so.4, which is neither" in findings({VARIANT: needy}, tmp_path)


@pytest.mark.parametrize(
    ("source", "language", "version"),
    [
        ("unsigned arc4random(void); int f(void) { return arc4random(); }", "c", "GLIBC_2.36"),
        (
            "#include <condition_variable>\nvoid f(std::condition_variable &c, std::unique_lock<std::mutex> &l)"
            "{ c.wait(l); }",
            "c++",
            "GLIBCXX_3.4.30",
        ),
    ],
)
def test_a_system_newer_than_the_oldest_one_supported(tmp_path: Path, source: str, language: str, version: str) -> None:
    assert f"{VARIANT}: needs {version}" in findings({VARIANT: linked(source, language=language)}, tmp_path)


@pytest.mark.parametrize("option", ["-Wl,-rpath,/opt/lib", "-Wl,--disable-new-dtags,-rpath,/opt/lib"])
def test_a_search_path_that_leaves_the_wheel(tmp_path: Path, option: str) -> None:
    said = findings({VARIANT: linked(NOTHING, option)}, tmp_path)
    assert f"{VARIANT}: looks for libraries in $ORIGIN:/opt/lib" in said


@pytest.mark.parametrize("path", ["/tmp/tmpab12/vendor/ggml.c", "../source/vendor/ggml.c", "/home/me/ggml.c"])
def test_a_path_of_the_machine_that_built_it(tmp_path: Path, path: str) -> None:
    said = findings({VARIANT: linked(f'const char *file(void) {{ return "{path}"; }}')}, tmp_path)
    assert f"{VARIANT}: holds a path of the machine that built it: {path}" in said


def test_what_is_no_library(tmp_path: Path) -> None:
    assert f"{VARIANT}: missing" in findings({VARIANT: b"not an ELF file"}, tmp_path)


def test_a_cut_library(tmp_path: Path) -> None:
    wheel_files.write(files() | {VARIANT: base()[:40]}, tmp_path / NAME)
    with pytest.raises(CorruptError, match="not a library") as cut:
        wheel_gates.check(tmp_path / NAME)
    assert cut.value.where == VARIANT


def test_a_record_of_other_bytes(tmp_path: Path) -> None:
    wheel_files.write(files(), tmp_path / "good.whl")
    with zipfile.ZipFile(tmp_path / "good.whl") as good, zipfile.ZipFile(tmp_path / NAME, "w") as bad:
        for name in good.namelist():
            bad.writestr(name, b"changed" if name.endswith("__init__.py") else good.read(name))
    with pytest.raises(GateError, match="RECORD: does not list these files"):
        wheel_gates.check(tmp_path / NAME)


def test_a_name_twice(tmp_path: Path) -> None:
    wheel_files.write(files(), tmp_path / NAME)
    with warnings.catch_warnings(), zipfile.ZipFile(tmp_path / NAME, "a") as wheel:
        warnings.simplefilter("ignore")
        wheel.writestr(f"{DIST_INFO}METADATA", b"another")
    with pytest.raises(GateError, match="METADATA: twice"):
        wheel_gates.check(tmp_path / NAME)


def test_all_findings_are_told_at_once(tmp_path: Path) -> None:
    said = findings({VARIANT: None, "bin/llama-cli": b"x", f"{LIB}libggml.so": None}, tmp_path)
    assert len(said.splitlines()) == 4
