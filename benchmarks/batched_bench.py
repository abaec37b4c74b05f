"""llama.cpp's own measure of many sequences, `llama-batched-bench`, built from the pinned source distribution."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cache import cache_folder
from benchmarks.companion import environment
from build_tools.gguf import source_distribution
from medlora_edge.engine.machine import NICE
from medlora_edge.errors import EngineError, UsageError

TARGET = "llama-batched-bench"
OPTIONS = {
    "CMAKE_BUILD_TYPE": "Release",
    "LLAMA_BUILD_TESTS": "OFF",
    "LLAMA_BUILD_EXAMPLES": "OFF",
    "LLAMA_BUILD_SERVER": "OFF",
    "LLAMA_BUILD_APP": "OFF",
    "LLAMA_USE_PREBUILT_UI": "OFF",
    "LLAMA_OPENSSL": "OFF",
}


@dataclass(frozen=True)
class Shape:
    """How many sequences, and tokens of each."""

    width: int
    prompt_tokens: int
    generated: int


def program() -> Path:
    """The program, compiled for this processor at the first call (some minutes).

    Raises UsageError without CMake, EngineError when it does not compile.
    """
    folder = cache_folder() / f"{TARGET}-{source_distribution.VERSION}"
    built = folder / "bin" / TARGET
    if built.exists():
        return built
    if not shutil.which("cmake"):
        raise UsageError(f"{TARGET} is built with CMake, which is not here", fix="Debian: apt-get install cmake")
    print(f"building {TARGET} once, into {folder}", file=sys.stderr)
    source = source_distribution.unpacked(cache_folder()) / "vendor" / "llama.cpp"
    _cmake("-S", str(source), "-B", str(folder), *(f"-D{name}={value}" for name, value in OPTIONS.items()))
    _cmake("--build", str(folder), "--target", TARGET, "--parallel")
    return built


def decode_rate(model: Path, shape: Shape, *, n_batch: int, threads: int) -> float:
    """Tokens decoded a second, all sequences together, by a process as polite as the engine's.

    The prompts share nothing; each sequence has a KV cache of its own, of 256 tokens times a whole number.

    Raises EngineError when it fails.
    """
    settings: dict[str, object] = {
        "--model": model,
        "--ctx-size": shape.width * (shape.prompt_tokens + shape.generated),
        "--batch-size": n_batch,
        "--ubatch-size": n_batch,
        "--threads": threads,
        "--threads-batch": threads,
        "-npp": shape.prompt_tokens,
        "-ntg": shape.generated,
        "-npl": shape.width,
        "--output-format": "jsonl",
    }
    words = [str(word) for setting in settings.items() for word in setting]
    command = ["nice", "-n", str(NICE), str(program()), *words]
    done = subprocess.run(command, capture_output=True, env=environment(), check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith(b"{")]
    if done.returncode or len(lines) != 1:
        raise EngineError(f"{TARGET} failed with code {done.returncode}: {done.stderr[-300:].decode(errors='replace')}")
    rate: float = json.loads(lines[0])["speed_tg"]
    return rate


def _cmake(*words: str) -> None:
    done = subprocess.run(["cmake", *words], capture_output=True, check=False)
    if done.returncode:
        raise EngineError(f"{TARGET} does not compile: {done.stderr[-500:].decode(errors='replace')}")
