"""Waiting on conditions, never on time."""

import time
from collections.abc import Callable

PATIENCE_SECONDS = 60.0


def wait_until(holds: Callable[[], object], what: str = "") -> None:
    """Return as soon as `holds()` is true. Raises AssertionError when it never is."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > until:
            raise AssertionError(f"never happened: {what or holds}")
        time.sleep(0.005)
