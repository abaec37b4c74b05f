"""Fetches a model from a Hugging Face hub: the one part of the program that uses a network, and only when asked."""

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from medlora_edge import paths
from medlora_edge.errors import CorruptError, ResourceError, UsageError
from medlora_edge.files import exclusive
from medlora_edge.models.adding import SPARE, add, require_free_name
from medlora_edge.models.catalogue import Model
from medlora_edge.models.hashing import Progress
from medlora_edge.models.manifest import Source
from medlora_edge.models.names import name_from, require_name
from medlora_edge.models.units import size_text

DOWNLOADS = ".downloads"
DISK_REFUSES = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Offer:
    """A file that a hub has: `revision` is the commit, `etag` the hub's word for the content (large files: SHA-256)."""

    repo: str
    file: str
    revision: str
    size_bytes: int
    etag: str
    licence: str | None

    @property
    def sha256(self) -> str | None:
        """Hash of the content where the hub states it."""
        return self.etag if SHA256.fullmatch(self.etag) else None


def look_up(repo: str, file: str, revision: str | None = None) -> Offer:
    """Ask the hub for a file's size and licence; `revision` is a branch, tag or commit, by default the newest.

    Raises UsageError when the extra `hub` is missing or the hub does not have the file or cannot be reached.
    """
    with _hub_errors(f"{repo}/{file}"):
        import huggingface_hub as hub

        info = hub.HfApi(endpoint=_endpoint()).model_info(repo, revision=revision)
        url = hub.hf_hub_url(repo, file, revision=info.sha, endpoint=_endpoint())
        found = hub.get_hf_file_metadata(url, endpoint=_endpoint())
    if not found.size or not found.etag:
        raise UsageError("the hub does not say how large the file is", where=f"{repo}/{file}")
    return Offer(repo, file, str(info.sha), found.size, found.etag, _licence(info.tags))


def fetch(offer: Offer, *, name: str | None = None, on_progress: Progress | None = None) -> Model:
    """Download what was looked up, going on where an earlier attempt stopped, then `add` it.

    Raises what `add` raises, UsageError when the hub fails, CorruptError when the content is not the promised one.
    """
    name = name_from(Path(offer.file)) if name is None else require_name(name)
    require_free_name(name)
    folder = paths.private_folder(paths.models_dir() / DOWNLOADS)
    key = hashlib.sha256(f"{offer.repo}\n{offer.file}\n{offer.etag}".encode()).hexdigest()[:16]
    part = folder / f"{key}.part"
    with exclusive(folder / f"{key}.lock", what="this download"):
        _download(offer, part)
        try:
            model = add(
                part,
                name=name,
                source=Source(file=offer.file, repo=offer.repo, revision=offer.revision),
                licence=offer.licence,
                sha256=offer.sha256,
                on_progress=on_progress,
            )
        except (CorruptError, UsageError):
            part.unlink()
            raise
        part.unlink()
    return model


def _download(offer: Offer, part: Path) -> None:
    """Bring `part` to its full size; a transfer that breaks off is taken up again."""
    part.touch(mode=0o600)
    done = part.stat().st_size
    if done > offer.size_bytes:
        os.truncate(part, done := 0)
    _require_room(part, offer.size_bytes - done)
    with _hub_errors(f"{offer.repo}/{offer.file}"):
        import huggingface_hub as hub
        from huggingface_hub.file_download import http_get
        from huggingface_hub.utils import build_hf_headers

        url = hub.hf_hub_url(offer.repo, offer.file, revision=offer.revision, endpoint=_endpoint())
        headers = build_hf_headers(library_name="medlora-edge") | {"Accept-Encoding": "identity"}
        with part.open("r+b") as stream:
            stream.seek(done)
            http_get(url, stream, resume_size=done, headers=headers, expected_size=offer.size_bytes)
            stream.flush()
            os.fsync(stream.fileno())


def _require_room(part: Path, size: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if free < size + SPARE:
        raise ResourceError(
            f"the disk has {size_text(free)} free; the download needs {size_text(size + SPARE)}",
            where=str(part.parent),
            fix="free space, or choose another place with MEDLORA_HOME",
        )


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT")


def _licence(tags: list[str] | None) -> str | None:
    return next((tag.removeprefix("license:") for tag in tags or () if tag.startswith("license:")), None)


@contextmanager
def _hub_errors(what: str) -> Iterator[None]:
    """Turn the hub library's many errors into words."""
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
            f"the hub cannot give the file: {_reason(error)}",
            where=what,
            fix="check the names and the connection; the same command goes on where this one stopped",
        ) from error


def _reason(error: Exception) -> str:
    from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError

    match error:
        case RevisionNotFoundError():
            return "it has no such revision"
        case RepositoryNotFoundError():
            return "it has no such repository"
        case EntryNotFoundError():
            return "the repository has no such file"
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
