"""The portable engine wheel: llama-cpp-python with one library per processor family, chosen where it runs."""

import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from medlora_bundle import wheel_files, wheel_gates
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


def build_engine_wheel(sdist: Path, wheels: Path, out: Path) -> Path:
    """Build the wheel of the source distribution `sdist` into the folder `out` and return its path.

    `wheels` holds what the build needs: scikit-build-core, packaging, pathspec. No network is used. CMake >= 3.21,
    GCC >= 12, ninja or make, and strip come from the machine. Takes about 15 minutes of one core. Raises UsageError
    when it cannot be built (the log stays in `out`), ResourceError for a full disk or a place that cannot be written,
    GateError for a wheel that would not do.
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
    built = _compile(work, wheels, log=out / "engine-wheel.log")
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


def _compile(work: Path, wheels: Path, log: Path) -> Path:
    command = [sys.executable, "-m", "pip", "wheel", "--no-index", f"--find-links={wheels}", "--no-cache-dir"]
    command += ["--no-deps", "--wheel-dir", str(work / "wheel"), str(work / "source")]
    with log.open("wb") as stream:
        done = subprocess.run(
            command, stdout=stream, stderr=subprocess.STDOUT, env=_environment(work), cwd=work, check=False
        )
    if done.returncode:
        raise UsageError(
            "the engine wheel cannot be built", where=str(log), fix="the end of that log has the compiler's words"
        )
    (built,) = (work / "wheel").glob("*.whl")
    return built


def _environment(work: Path) -> dict[str, str]:
    """Nothing of the caller's, above all no SOURCE_DATE_EPOCH: with it ggml builds for SSE2 alone."""
    # Paths come into the libraries through __FILE__: absolute from CMake, relative from a compiler cache.
    paths = f"-ffile-prefix-map={work}/source=source -ffile-prefix-map=../source=source"
    return {
        **{name: os.environ[name] for name in KEPT if name in os.environ},
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
