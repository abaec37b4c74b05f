"""The portable engine wheel: llama-cpp-python with one library per processor family, chosen where it runs."""

import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from medlora_bundle import pip, wheel_files, wheel_gates
from medlora_bundle.requirements import COMPILING
from medlora_edge.errors import ResourceError, UsageError

FLAGS = {
    "BUILD_SHARED_LIBS": "ON",
    "GGML_BACKEND_DL": "ON",
    "GGML_CPU_ALL_VARIANTS": "ON",
    "GGML_NATIVE": "OFF",
    "GGML_OPENMP": "ON",  # ggml's own threads spin at each barrier: one other busy program stalls them
    "GGML_RPC": "OFF",
    "LLAMA_OPENSSL": "OFF",
    "LLAVA_BUILD": "OFF",
    # Wheels hold no links, so `libggml.so` and `libggml.so.0` would be two libraries with a registry each.
    "CMAKE_PLATFORM_NO_VERSIONED_SONAME": "ON",
    "CMAKE_INSTALL_RPATH": "$ORIGIN",
    "CMAKE_INSTALL_BINDIR": "llama_cpp/lib",
    "CMAKE_INSTALL_LIBDIR": "llama_cpp/lib",
    "CMAKE_INSTALL_INCLUDEDIR": "llama_cpp/include",
    "GGML_CCACHE": "OFF",
}
KEPT = ("PATH", "CCACHE_DIR")  # where the compiler is, and the cache of a compiler that has one
SHOWN_LINES = 40  # of a failed build's log: the last dozen are pip's own


def build_engine_wheel(sdist: Path, wheels: Path, out: Path) -> Path:
    """Build the wheel of the source distribution `sdist` into the folder `out` and return its path.

    `wheels` holds what the build needs: scikit-build-core, packaging, pathspec, CMake and ninja, which run even where
    the machine has its own. No network is used. GCC >= 12 and strip come from the machine. Takes about 15 minutes of
    one core. Raises UsageError, with the end of the log, when it cannot be built, ResourceError for a full disk or a
    place that cannot be written, GateError for a wheel that would not do.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="engine-wheel-") as workplace:
            return _build(sdist, wheels.resolve(), out, Path(workplace).resolve())
    except OSError as error:
        raise ResourceError(
            f"the engine wheel cannot be built: {error.strerror}",
            where=str(error.filename or out),
            fix="free space, or choose another place",
        ) from error


def _build(sdist: Path, wheels: Path, out: Path, work: Path) -> Path:
    _unpack(sdist, work)
    pip.install(COMPILING, wheels, work / "tools")
    built = _compile(work, wheels)
    finished = wheel_files.finish(built, work / "finished")
    wheel_gates.check(finished)
    return Path(shutil.copyfile(finished, out / finished.name))


def _unpack(sdist: Path, work: Path) -> None:
    try:
        with tarfile.open(sdist) as tar:
            tar.extractall(work / "unpacked", filter="data")
        (root,) = (work / "unpacked").iterdir()
        root.replace(work / "source")
    except (tarfile.TarError, ValueError) as error:
        raise UsageError("not a source distribution", where=str(sdist), fix="fetch it again") from error


def _compile(work: Path, wheels: Path) -> Path:
    command = [sys.executable, "-m", "pip", "wheel", "--no-index", f"--find-links={wheels}", "--no-cache-dir"]
    command += ["--no-deps", "--wheel-dir", str(work / "wheel"), str(work / "source")]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=_environment(work), cwd=work, check=False
    )
    if done.returncode:
        end = done.stdout.decode(errors="replace").splitlines()[-SHOWN_LINES:]
        told = "\n    ".join(["the engine wheel cannot be built; the end of the log:", *end])
        raise UsageError(told, fix="mend what the compiler names there, and build again")
    (built,) = (work / "wheel").glob("*.whl")
    return built


def _environment(work: Path) -> dict[str, str]:
    """Nothing of the caller's, above all no SOURCE_DATE_EPOCH: with it ggml builds for SSE2 alone."""
    # Paths come into the libraries through __FILE__: absolute from CMake, relative from a compiler cache.
    paths = f"-ffile-prefix-map={work}/source=source -ffile-prefix-map=../source=source"
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    tools = (str(work / "tools" / place) for place in ("cmake/data/bin", "bin"))  # bin/cmake would import its package
    return {
        **kept,
        "PATH": os.pathsep.join((*tools, kept.get("PATH", os.defpath))),
        "CCACHE_BASEDIR": str(work),
        "CFLAGS": paths,
        "CXXFLAGS": paths,
        "CMAKE_ARGS": shlex.join(f"-D{name}={value}" for name, value in FLAGS.items()),
        "CMAKE_BUILD_PARALLEL_LEVEL": str(len(os.sched_getaffinity(0))),
        "GIT_CEILING_DIRECTORIES": str(work),  # or the commit of a checkout around it would get in
        "HOME": str(work),
        "LC_ALL": "C.UTF-8",
        "LDFLAGS": "-Wl,--build-id=none",  # a hash over symbols that `strip` removes, names of passing files among them
        "PIP_CONFIG_FILE": os.devnull,
        "SKBUILD_BUILD_DIR": str(work / "build"),
    }
