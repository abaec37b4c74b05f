"""Fetches the base that a recipe names from a Hugging Face hub: with the converter's, the one use of a network."""

import re
import shutil
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from build_tools.bases.resolve import fetched, place_of
from build_tools.manifest import sha256_of_file
from build_tools.recipe.schema import Base
from medlora_edge import paths
from medlora_edge.errors import CorruptError, UsageError
from medlora_edge.files import exclusive
from medlora_edge.models.hub import endpoint, hub_errors, licence, require_room

WEIGHTS = ("*.safetensors", "*.safetensors.index.json")
TOKENIZER = ("tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt")
WANTED = (*WEIGHTS, *TOKENIZER, "config.json", "generation_config.json", "chat_template.*", "LICENSE*")
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class RemoteFile:
    """A file in a repository: bytes, and its SHA-256 where the hub states it (large files)."""

    name: str
    size_bytes: int
    sha256: str | None


@dataclass(frozen=True)
class Offer:
    """What would be downloaded: a repository at a commit, the licence it states, and the files that training needs."""

    repo: str
    revision: str
    licence: str | None
    files: tuple[RemoteFile, ...]

    @property
    def size_bytes(self) -> int:
        """All files together."""
        return sum(file.size_bytes for file in self.files)


def look_up(base: Base) -> Offer:
    """Ask the hub for the base's files and licence.

    Raises UsageError when it cannot be reached, does not have it, or has the weights only in a form that can run code.
    """
    if not base.hub:
        raise UsageError("this recipe's base is not on a hub: nothing is to be fetched")
    with hub_errors(base.hub):
        import huggingface_hub as hub

        api = hub.HfApi(endpoint=endpoint())
        info = api.model_info(base.hub, revision=base.revision, files_metadata=True)
    files = tuple(_remote(entry) for entry in info.siblings or () if _wanted(entry.rfilename))
    if not any(file.name.endswith(".safetensors") for file in files):
        raise UsageError(
            "the repository has no weights as safetensors; pickled ones could run code",
            where=base.hub,
            fix="choose a revision that has them",
        )
    return Offer(base.hub, str(info.sha), licence(info.tags), files)


def fetch(offer: Offer) -> Path:
    """Download what was looked up, going on where an earlier attempt stopped; return the base's folder.

    The folder appears whole, after every size and every stated SHA-256 was checked. Raises UsageError when the hub
    fails, CorruptError for content that is not the promised one, ResourceError for a full disk, InUseError.
    """
    place = place_of(offer.repo, offer.revision)
    if done := fetched(offer.repo, offer.revision):
        return done
    part = paths.private_folder(place.with_name(f".{place.name}.part"))
    with exclusive(place.with_name(f".{place.name}.lock"), what="this download"):
        require_room(part, offer.size_bytes - sum(file.stat().st_size for file in part.rglob("*") if file.is_file()))
        _download(offer, part)
        for file in offer.files:
            _require_as_promised(part / file.name, file)
        _forget_bookkeeping(part)
        part.rename(place)
    return place


def _download(offer: Offer, folder: Path) -> None:
    with hub_errors(offer.repo):
        import huggingface_hub as hub

        for file in offer.files:
            hub.hf_hub_download(
                offer.repo,
                file.name,
                revision=offer.revision,
                local_dir=folder,
                endpoint=endpoint(),
                library_name="medlora-build",
            )


def _wanted(name: str) -> bool:
    return "/" not in name and any(fnmatch(name, pattern) for pattern in WANTED)


def _remote(entry: object) -> RemoteFile:
    large = getattr(entry, "lfs", None)
    stated = getattr(large, "sha256", None)
    sha256 = stated if isinstance(stated, str) and SHA256.fullmatch(stated) else None
    return RemoteFile(str(getattr(entry, "rfilename", "")), int(getattr(entry, "size", 0) or 0), sha256)


def _require_as_promised(path: Path, promised: RemoteFile) -> None:
    size = path.stat().st_size if path.is_file() else -1
    if size == promised.size_bytes and promised.sha256 in (None, sha256_of_file(path)):
        return
    path.unlink(missing_ok=True)
    raise CorruptError(
        "the downloaded content is not the promised one", where=path.name, fix="run the same command again"
    )


def _forget_bookkeeping(folder: Path) -> None:
    """Remove what the hub library noted beside the files."""
    shutil.rmtree(folder / ".cache", ignore_errors=True)
