"""What every download from a Hugging Face hub needs: where it is, room on the disk, and its errors in words."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medlora_edge.errors import ResourceError, UsageError
from medlora_edge.models.adding import SPARE
from medlora_edge.models.units import size_text

DISK_REFUSES = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)


def endpoint() -> str | None:
    """Address of another hub than the public one, from HF_ENDPOINT."""
    return os.environ.get("HF_ENDPOINT")


def licence(tags: list[str] | None) -> str | None:
    """The licence among the tags of a repository."""
    return next((tag.removeprefix("license:") for tag in tags or () if tag.startswith("license:")), None)


def require_room(folder: Path, size: int) -> None:
    """Raise ResourceError (exit 4) unless the disk of `folder` has room for `size` bytes, and some to spare."""
    free = shutil.disk_usage(folder).free
    if free < size + SPARE:
        raise ResourceError(
            f"the disk has {size_text(free)} free; the download needs {size_text(size + SPARE)}",
            where=str(folder),
            fix="free space, or choose another place with MEDLORA_HOME",
        )


@contextmanager
def hub_errors(what: str) -> Iterator[None]:
    """Turn the hub library's many errors into UsageError and ResourceError, in words."""
    try:
        from huggingface_hub.errors import GatedRepoError, HTTPError
    except ImportError as error:
        raise UsageError(
            "fetching needs the optional part `hub`", fix="pip install 'medlora-edge[hub]', or copy the file here"
        ) from error
    try:
        yield
    except GatedRepoError as error:
        raise UsageError(
            "the hub gives this model only to those who accepted its terms",
            where=what,
            fix="accept them on its page, then run `hf auth login`",
        ) from error
    except (HTTPError, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno in DISK_REFUSES:
            raise ResourceError(f"the download cannot be kept: {error.strerror}", fix="free space") from error
        raise UsageError(
            f"the hub cannot {_failed(error)}",
            where=what,
            fix="check the names and the connection; the same command goes on where this one stopped",
        ) from error


def _failed(error: Exception) -> str:
    """What the hub could not do, and why: an error that no answer of the hub brought is one of the way to it."""
    from huggingface_hub.errors import HfHubHTTPError, HTTPError, LocalEntryNotFoundError

    answered = isinstance(error, HfHubHTTPError) or not isinstance(
        error, HTTPError | ConnectionError | LocalEntryNotFoundError
    )
    return f"give the file: {_reason(error)}" if answered else f"be reached: {_first_line(error.__cause__ or error)}"


def _reason(error: Exception) -> str:
    from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError

    match error:
        case RevisionNotFoundError():
            return "it has no such revision"
        case RepositoryNotFoundError():
            return "it has no such repository"
        case EntryNotFoundError():
            return "the repository has no such file"
    return _first_line(error)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
