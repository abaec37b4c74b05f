"""Text to the desktop's clipboard, through the program that the desktop has for it."""

import os
import shutil
import subprocess

PATIENCE_SECONDS = 2
ROUTES = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
    ("DISPLAY", ("xsel", "--clipboard", "--input")),
)


def copy(text: str) -> str | None:
    """Name of the program that took the text; None where there is no desktop, or none of its programs."""
    for variable, (name, *options) in ROUTES:
        program = shutil.which(name) if os.environ.get(variable) else None
        if program and _feed([program, *options], text):
            return name
    return None


def _feed(command: list[str], text: str) -> bool:
    try:
        done = subprocess.run(
            command,
            input=text.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
