"""Fetches a model from a Hugging Face hub: the one part of the program that uses a network, and only when asked."""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from medlora_edge import paths
from medlora_edge.errors import CorruptError, UsageError
from medlora_edge.files import exclusive
from medlora_edge.models.adding import add, require_free_name
from medlora_edge.models.catalogue import Model
from medlora_edge.models.hashing import Progress
from medlora_edge.models.hub import endpoint, hub_errors, licence, require_room
from medlora_edge.models.manifest import Source
from medlora_edge.models.names import name_from, require_name

DOWNLOADS = ".downloads"
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
    with hub_errors(f"{repo}/{file}"):
        import huggingface_hub as hub

        info = hub.HfApi(endpoint=endpoint()).model_info(repo, revision=revision)
        url = hub.hf_hub_url(repo, file, revision=info.sha, endpoint=endpoint())
        found = hub.get_hf_file_metadata(url, endpoint=endpoint())
    if not found.size or not found.etag:
        raise UsageError("the hub does not say how large the file is", where=f"{repo}/{file}")
    return Offer(repo, file, str(info.sha), found.size, found.etag, licence(info.tags))


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
    require_room(part.parent, offer.size_bytes - done)
    with hub_errors(f"{offer.repo}/{offer.file}"):
        import huggingface_hub as hub
        from huggingface_hub.file_download import http_get
        from huggingface_hub.utils import build_hf_headers

        url = hub.hf_hub_url(offer.repo, offer.file, revision=offer.revision, endpoint=endpoint())
        headers = build_hf_headers(library_name="medlora-edge") | {"Accept-Encoding": "identity"}
        with part.open("r+b") as stream:
            stream.seek(done)
            http_get(url, stream, resume_size=done, headers=headers, expected_size=offer.size_bytes)
            stream.flush()
            os.fsync(stream.fileno())
