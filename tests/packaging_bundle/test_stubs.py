"""The stand-in for `diskcache`: llama_cpp works with it, and nobody can use it."""

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from medlora_bundle import stubs

ANSWER = """
import sys
import llama_cpp, diskcache
llm = llama_cpp.Llama(sys.argv[1], n_ctx=64, n_threads=1, verbose=False)
said = llm("Is it", max_tokens=4, temperature=0)
print(diskcache.__file__, said["usage"]["completion_tokens"])
"""


@pytest.fixture
def site_packages(tmp_path: Path) -> Path:
    folder = tmp_path / "site packages"
    folder.mkdir()
    stubs.install(folder)
    return folder


def run(site_packages: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(site_packages)}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_llama_cpp_answers_with_it(site_packages: Path, tiny_gguf: Path) -> None:
    done = run(site_packages, ANSWER, str(tiny_gguf))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("__init__.py ")[0] == f"{site_packages}/diskcache/"
    assert int(done.stdout.split()[-1]) > 0


@pytest.mark.parametrize(
    "use", ["diskcache.Cache('x')", "from diskcache import Cache", "from diskcache import *; Cache"]
)
def test_every_use_is_refused(site_packages: Path, use: str) -> None:
    done = run(site_packages, f"import diskcache\n{use}")
    assert done.returncode == 1
    assert "Cache" in done.stderr.splitlines()[-1]


def test_a_use_says_why(site_packages: Path) -> None:
    done = run(site_packages, "import llama_cpp.llama_cache as c; c.LlamaDiskCache()")
    assert "CVE-2025-69872" in done.stderr
    assert "LlamaRAMCache" in done.stderr


def test_python_may_look_at_the_module(site_packages: Path) -> None:
    done = run(site_packages, "import diskcache, inspect, copy; print(hasattr(diskcache, '__wrapped__'))")
    assert done.stdout == "False\n"


def test_metadata_satisfies_the_requirement(site_packages: Path) -> None:
    (found,) = metadata.distributions(path=[str(site_packages)])
    wanted = [Requirement(text) for text in metadata.requires("llama_cpp_python") or []]
    (diskcache,) = (requirement for requirement in wanted if requirement.name == "diskcache")
    assert found.metadata["Name"] == "diskcache"
    assert diskcache.specifier.contains(found.version)


def test_record_lists_every_file(site_packages: Path) -> None:
    (found,) = metadata.distributions(path=[str(site_packages)])
    listed = {str(file) for file in found.files or []}
    there = {str(file.relative_to(site_packages)) for file in site_packages.rglob("*") if file.is_file()}
    assert listed == there
    hashed = [file for file in found.files or [] if file.hash]
    assert len(hashed) == len(there) - 1
