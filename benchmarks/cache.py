"""Where large inputs that are slow to make are kept between runs: outside the checkout, never committed."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """The folder, made if need be. `XDG_CACHE_HOME` moves it."""
    place = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "medlora-edge-tests"
    place.mkdir(parents=True, exist_ok=True)
    return place
