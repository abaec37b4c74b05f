"""The engine wheel is built without a network or the caller's environment, and the same twice.

The commit run builds a small stand-in for the source distribution; the real one takes a quarter of an hour: nightly.
"""

import io
import json
import os
import shlex
import tarfile
import zipfile
from pathlib import Path

import pytest

from medlora_bundle import wheel_gates
from medlora_bundle.elf import read
from medlora_bundle.engine_wheel import FLAGS, build_engine_wheel
from medlora_edge.errors import GateError, ResourceError, UsageError
from tests import portable_engine
from tests.packaging_bundle.toy_engine import LIB, NAME, files

BACKEND = f"""
import json, os, pathlib, subprocess, zipfile
here = pathlib.Path(__file__).parent

def build_wheel(folder, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(pathlib.Path(folder) / "{NAME}", "w") as wheel:
        for path in sorted((here / "made").rglob("*")):
            if path.is_file():
                wheel.writestr(path.relative_to(here / "made").as_posix(), path.read_bytes())
        wheel.writestr("llama_cpp/environment.json", json.dumps(dict(os.environ)))
        said = [subprocess.run([tool], capture_output=True, text=True).stdout for tool in ("cmake", "ninja")]
        wheel.writestr("llama_cpp/tools.json", json.dumps(said))
    return "{NAME}"
"""
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
LEFT_BEHIND = (f"{LIB}libggml.so.0", f"{LIB}libllama-common.so", "llama_cpp/include/ggml.h", "bin/tool", "lib/x.so")


def toy_tools(folder: Path) -> Path:
    """Wheels of a CMake and a ninja that the machine does not have."""
    run = "#!/bin/sh\necho 99.1\n"
    for name, program in (("cmake", "cmake/data/bin/cmake"), ("ninja", "ninja-99.1.data/scripts/ninja")):
        info = f"{name}-99.1.dist-info"
        with zipfile.ZipFile(folder / f"{name}-99.1-py3-none-any.whl", "w") as wheel:
            entry = zipfile.ZipInfo(program)
            entry.external_attr = 0o100755 << 16
            wheel.writestr(entry, run)
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 99.1\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
    return folder


def toy_sdist(path: Path, *, backend: str = BACKEND) -> Path:
    content = {"pyproject.toml": PYPROJECT.encode(), "backend.py": backend.encode()}
    content |= {f"made/{name}": data for name, data in files().items()}
    content |= {f"made/{name}": b"of no use to the bundle" for name in LEFT_BEHIND}
    with tarfile.open(path, "w:gz") as tar:
        for name, data in content.items():
            member = tarfile.TarInfo(f"toy-1/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        patch.setenv("PIP_INDEX_URL", "https://example.invalid/simple")
        patch.setenv("CMAKE_ARGS", "-DGGML_NATIVE=ON")
        patch.setenv("CFLAGS", "-march=native")
        return build_engine_wheel(toy_sdist(folder / "toy.tar.gz"), toy_tools(folder), folder / "out")


def environment(wheel: Path) -> dict[str, str]:
    with zipfile.ZipFile(wheel) as archive:
        told: dict[str, str] = json.loads(archive.read("llama_cpp/environment.json"))
    return told


def test_it_keeps_its_name_and_passes_the_gates(built: Path) -> None:
    assert built.name == NAME
    wheel_gates.check(built)


def test_only_the_package_is_in_it(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        names = archive.namelist()
    assert not set(names) & set(LEFT_BEHIND)
    assert names[-1].endswith("RECORD")


def test_its_libraries_are_stripped(built: Path) -> None:
    before = files()[f"{LIB}libllama.so"]
    with zipfile.ZipFile(built) as archive:
        after = archive.read(f"{LIB}libllama.so")
    assert len(after) < len(before)
    assert read("after", after).needed == read("before", before).needed


def test_times_and_modes_are_fixed(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        infos = archive.infolist()
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert {info.external_attr >> 16 for info in infos} == {0o100644, 0o100755}


def test_the_callers_environment_stays_outside(built: Path) -> None:
    seen = environment(built)
    assert "SOURCE_DATE_EPOCH" not in seen  # with it ggml builds for SSE2 alone
    assert "example.invalid" not in str(seen)
    assert "-march=native" not in seen["CFLAGS"]
    assert seen["CMAKE_ARGS"] == shlex.join(f"-D{name}={value}" for name, value in FLAGS.items())


def test_two_builds_give_the_same_bytes(tmp_path: Path) -> None:
    sdist = toy_sdist(tmp_path / "toy.tar.gz", backend=BACKEND.replace("os.environ", "{}"))
    tools = toy_tools(tmp_path)
    builds = [build_engine_wheel(sdist, tools, tmp_path / name).read_bytes() for name in ("one", "two")]
    assert builds[0] == builds[1]


@pytest.mark.skipif("MEDLORA_NIGHTLY" not in os.environ, reason="compiles llama.cpp: MEDLORA_NIGHTLY=1")
@pytest.mark.timeout(7200)
def test_two_real_builds_give_the_same_bytes(tmp_path: Path) -> None:
    assert portable_engine.build(tmp_path).read_bytes() == portable_engine.wheel().read_bytes()


def test_the_locked_tools_run_before_the_machines_own(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        assert json.loads(archive.read("llama_cpp/tools.json")) == ["99.1\n", "99.1\n"]


def test_without_the_locked_tools_nothing_is_built(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cmake"):
        build_engine_wheel(toy_sdist(tmp_path / "toy.tar.gz"), tmp_path, tmp_path / "out")


def test_a_build_that_fails_says_the_end_of_its_log(tmp_path: Path) -> None:
    broken = toy_sdist(tmp_path / "toy.tar.gz", backend="raise SystemExit('no compiler here')")
    with pytest.raises(UsageError, match=r"cannot be built(?s:.)*no compiler here"):
        build_engine_wheel(broken, toy_tools(tmp_path), tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_a_wheel_that_fails_a_gate_is_not_handed_over(tmp_path: Path) -> None:
    sloppy = toy_sdist(
        tmp_path / "toy.tar.gz", backend=BACKEND.replace("path.is_file()", "'zen4' not in path.name and path.is_file()")
    )
    with pytest.raises(GateError, match=r"libggml-cpu-zen4\.so: missing"):
        build_engine_wheel(sloppy, toy_tools(tmp_path), tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.whl"))


@pytest.mark.parametrize("content", [b"", b"not an archive"])
def test_what_is_no_source_distribution(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "toy.tar.gz").write_bytes(content)
    with pytest.raises(UsageError, match="not a source distribution"):
        build_engine_wheel(tmp_path / "toy.tar.gz", tmp_path, tmp_path / "out")


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(ResourceError, match="cannot be built: File exists") as refused:
        build_engine_wheel(toy_sdist(tmp_path / "toy.tar.gz"), tmp_path, tmp_path / "out")
    assert refused.value.where == str(tmp_path / "out")
