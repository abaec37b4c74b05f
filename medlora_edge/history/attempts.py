"""Growing pauses between wrong passphrases, remembered on disk so that a restart does not shorten them."""

import json
import math
import time
from contextlib import suppress
from pathlib import Path

from medlora_edge.errors import UsageError
from medlora_edge.files import write_atomic

NAME = "attempts.json"
LONGEST_PAUSE = 60.0


def wait_seconds(folder: Path) -> float:
    """Seconds until the next attempt is let through. A clock set back counts as time enough."""
    count, last = _read(folder)
    since = time.time() - last
    pause = min(LONGEST_PAUSE, 2.0 ** min(count - 1, 16)) if count else 0.0
    return max(0.0, pause - since) if since >= 0 else 0.0


def begin(folder: Path) -> None:
    """Count an attempt as failed before it is made, so that killing the program hides none.

    Raises UsageError while the pause lasts.
    """
    if seconds := math.ceil(wait_seconds(folder)):
        raise UsageError("too soon after a wrong passphrase", fix=f"try again in {seconds} s")
    count, _ = _read(folder)
    with suppress(OSError):  # a full disk must not keep the owner out
        write_atomic(folder / NAME, json.dumps([count + 1, time.time()]).encode())


def succeeded(folder: Path) -> None:
    """Forget the failures."""
    with suppress(OSError):
        (folder / NAME).unlink(missing_ok=True)


def _read(folder: Path) -> tuple[int, float]:
    try:
        count, last = json.loads((folder / NAME).read_bytes())
        return max(0, int(count)), float(last)
    except (OSError, ValueError, TypeError, OverflowError, RecursionError):
        return 0, 0.0
