"""Where things live. `MEDLORA_HOME` moves all of it, for an install carried on a stick."""

import os
from pathlib import Path

from medlora_edge.errors import ResourceError

APP = "medlora-edge"


def _home() -> Path | None:
    value = os.environ.get("MEDLORA_HOME")
    return Path(value).expanduser().absolute() if value else None


def data_dir() -> Path:
    """Folder of what must survive: models and imported data sets."""
    import platformdirs

    home = _home()
    return home / "data" if home else Path(platformdirs.user_data_dir(APP, appauthor=False))


def config_dir() -> Path:
    """Folder of the settings file."""
    import platformdirs

    home = _home()
    return home / "config" if home else Path(platformdirs.user_config_dir(APP, appauthor=False))


def state_dir() -> Path:
    """Folder of what may be thrown away: logs and caches."""
    import platformdirs

    home = _home()
    return home / "state" if home else Path(platformdirs.user_state_dir(APP, appauthor=False))


def models_dir() -> Path:
    """Catalogue: one folder per installed model."""
    return data_dir() / "models"


def datasets_dir() -> Path:
    """Imported benchmark data sets."""
    return data_dir() / "datasets"


def runs_dir() -> Path:
    """Default place of benchmark runs."""
    return data_dir() / "runs"


def settings_file() -> Path:
    """The one settings file."""
    return config_dir() / "settings.toml"


def engine_log() -> Path:
    """Log of the engine process: llama.cpp's own words, never a prompt."""
    return state_dir() / "engine.log"


def shipped_models_dir() -> Path | None:
    """Models that came with the program: inside the package when installed, `models/` in a checkout."""
    package = Path(__file__).parent
    checkout = package.parent
    place = checkout / "models" if (checkout / "pyproject.toml").is_file() else package / "shipped"
    return place if place.is_dir() else None


def private_folder(path: Path) -> Path:
    """Create `path` (and parents) readable by its owner only; return it.

    Raises ResourceError when the place cannot be written.
    """
    try:
        for parent in reversed(path.parents):
            if not parent.exists():
                parent.mkdir(mode=0o700, exist_ok=True)  # `parents=True` would let everybody read them
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ResourceError(
            f"cannot create the folder: {error.strerror}",
            where=str(path),
            fix="free space or choose another place with MEDLORA_HOME",
        ) from error
    return path
