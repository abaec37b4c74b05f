"""A disk that is full or refuses, told in words and with exit code 4."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medlora_edge.errors import ResourceError


@contextmanager
def disk_errors(what: str, folder: Path) -> Iterator[None]:
    """Turn what torch, safetensors and the system raise when a file cannot be written into a ResourceError."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError, RuntimeError) as error:  # torch tells of a full disk by a RuntimeError
        raise ResourceError(
            f"{what} could not be written: {error}",
            where=str(folder),
            fix="free space and run the same again: it goes on from the last whole checkpoint",
        ) from error
