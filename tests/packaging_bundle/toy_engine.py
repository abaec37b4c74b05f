"""A wheel with the shape of the portable engine's, its libraries compiled from a line of C each."""

import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from medlora_bundle import wheel_gates

LIB = "llama_cpp/lib/"
DIST_INFO = "llama_cpp_python-0.3.36.dist-info/"
NAME = "llama_cpp_python-0.3.36-py3-none-linux_x86_64.whl"


def library(source: str, *options: str, soname: str | None = None, language: str = "c") -> bytes:
    """A shared library; `options` go to the compiler after the source."""
    with TemporaryDirectory() as folder:
        made = Path(folder) / "made.so"
        compiler = "c++" if language == "c++" else "cc"
        command = [compiler, "-x", language, "-w", "-shared", "-fPIC", "-o", str(made), "-", *options]
        command += [f"-Wl,-soname,{soname}"] if soname else []
        subprocess.run(command, input=source.encode(), check=True, cwd=folder)
        return made.read_bytes()


@cache
def base() -> bytes:
    """The library that all others need."""
    return library("int ggml_base(void) { return 1; }", soname="libggml-base.so")


def linked(source: str, *options: str, soname: str | None = None, language: str = "c") -> bytes:
    """A library that needs libggml-base.so and finds it beside itself."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "libggml-base.so").write_bytes(base())
        beside = (f"-L{folder}", "-Wl,--no-as-needed", "-lggml-base", "-Wl,-rpath,$ORIGIN")
        return library(source, *beside, *options, soname=soname, language=language)


@cache
def _made() -> dict[str, bytes]:
    variant = linked("int ggml_backend_score(void) { return 1; }")
    return {
        **{f"{LIB}libggml-cpu-{name}.so": variant for name in wheel_gates.VARIANTS},
        f"{LIB}libggml-base.so": base(),
        f"{LIB}libggml.so": linked("int ggml(void) { return 1; }", soname="libggml.so"),
        f"{LIB}libllama.so": linked("int llama(void) { return 1; }", soname="libllama.so"),
        "llama_cpp/__init__.py": b'__version__ = "0.3.36"\n',
        f"{DIST_INFO}WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-linux_x86_64\n",
        f"{DIST_INFO}METADATA": b"Metadata-Version: 2.1\nName: llama_cpp_python\nVersion: 0.3.36\n",
    }


def files() -> dict[str, bytes]:
    """What a wheel that passes every gate holds, RECORD left out."""
    return dict(_made())
