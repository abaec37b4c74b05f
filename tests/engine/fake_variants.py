"""Libraries that look like CPU variants to the engine: they have a score, and live or die when they are begun."""

import ctypes
import subprocess
from pathlib import Path

LIVES = "return (void *)1;"
DIES = "signal(SIGILL, SIG_DFL); __builtin_trap();"  # past pytest's own handler
REFUSES = "return 0;"

SOURCE = """
#include <signal.h>
#include <unistd.h>
int ggml_backend_score(void) {{ {score} }}
void *ggml_backend_init(void) {{ {init} }}
"""


def compile_variant(folder: Path, name: str, *, score: int | str, init: str = LIVES) -> Path:
    """Write `folder`/libggml-cpu-`name`.so; `score` is a number or C statements."""
    folder.mkdir(exist_ok=True)
    library = folder / f"libggml-cpu-{name}.so"
    source = SOURCE.format(score=f"return {score};" if isinstance(score, int) else score, init=init)
    command = ["cc", "-x", "c", "-w", "-shared", "-fPIC", "-o", str(library), "-"]
    subprocess.run(command, input=source.encode(), check=True)
    return library


def begin(library: Path) -> bool:
    """What llama.cpp does with a variant: map it, begin it, see whether that went well."""
    begun = ctypes.CDLL(str(library)).ggml_backend_init
    begun.restype = ctypes.c_void_p
    return begun() is not None


def mapped() -> set[str]:
    """Names of the variants in this process's memory."""
    maps = Path("/proc/self/maps").read_text().splitlines()
    return {Path(line.split()[-1]).name for line in maps if "libggml-cpu-" in line}
