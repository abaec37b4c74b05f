"""Rows of tokens with labels, and the folder they lie in between the data step and training."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medlora_edge.errors import CorruptError, ResourceError, UsageError
from medlora_edge.files import write_atomic

IGNORED = -100  # label of a token that is not learned
INDEX = "rows.json"
_FORMAT = 1
_SPLITS = ("train", "held_out")

Tokens = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Row:
    """One or more documents side by side; each attends to itself only.

    `ids` and `seq_lengths` name the documents and their lengths in tokens; `input_ids` and `labels` have shape
    (sum of seq_lengths,). A label is the token itself where it is learned, else IGNORED; a document's first token
    never is, because nothing before it belongs to the document.
    """

    ids: tuple[str, ...]
    input_ids: Tokens
    labels: Tokens
    seq_lengths: tuple[int, ...]

    @property
    def trained(self) -> int:
        """How many tokens are learned."""
        return int((self.labels != IGNORED).sum())


@dataclass(frozen=True)
class Rows:
    """What a stage learns from, and what it is measured on: there, one document a row."""

    train: tuple[Row, ...]
    held_out: tuple[Row, ...]


def document(id_: str, input_ids: Sequence[int], labels: Sequence[int]) -> Row:
    """A row of one document."""
    learned = np.asarray(labels, np.int32)
    learned[:1] = IGNORED
    return Row((id_,), np.asarray(input_ids, np.int32), learned, (len(input_ids),))


def joined(rows: Sequence[Row]) -> Row:
    """One row of all their documents, in order."""
    return Row(
        tuple(id_ for row in rows for id_ in row.ids),
        np.concatenate([row.input_ids for row in rows]),
        np.concatenate([row.labels for row in rows]),
        tuple(length for row in rows for length in row.seq_lengths),
    )


def save(rows: Rows, folder: Path) -> None:
    """Write the rows into `folder`; its index, which has their hashes, comes last. Raises ResourceError."""
    hashes = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / INDEX).unlink(missing_ok=True)
        for name, content in (("train", rows.train), ("held_out", rows.held_out)):
            packed = _packed(content)
            write_atomic(folder / f"{name}.npz", packed)
            hashes[name] = hashlib.sha256(packed).hexdigest()
        index = {"format": _FORMAT, "sha256": hashes}
        write_atomic(folder / INDEX, json.dumps(index, indent=1).encode() + b"\n")
    except OSError as error:
        raise ResourceError(f"cannot write the rows: {error.strerror}", where=str(folder), fix="free space") from error


def load(folder: Path) -> Rows:
    """Rows that `save` wrote. Raises UsageError where there are none, CorruptError for what was changed since."""
    hashes = _index(folder / INDEX)
    train, held_out = (_unpacked(folder / f"{name}.npz", hashes.get(name)) for name in _SPLITS)
    return Rows(train, held_out)


def _packed(rows: Sequence[Row]) -> bytes:
    nothing = [np.zeros(0, np.int32)]
    ids = json.dumps([row.ids for row in rows], ensure_ascii=False).encode()
    stream = io.BytesIO()
    np.savez(
        stream,
        input_ids=np.concatenate([row.input_ids for row in rows] or nothing),
        labels=np.concatenate([row.labels for row in rows] or nothing),
        seq_lengths=np.asarray([length for row in rows for length in row.seq_lengths], np.int32),
        ids=np.frombuffer(ids, np.uint8),
    )
    return stream.getvalue()


def _index(path: Path) -> Mapping[str, Any]:
    try:
        index = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise UsageError("there are no rows here", where=str(path.parent), fix="run the data step") from error
    except (OSError, ValueError) as error:
        raise CorruptError("not readable", where=str(path), fix="make the rows again") from error
    if not isinstance(index, dict) or index.get("format") != _FORMAT or not isinstance(index.get("sha256"), dict):
        raise CorruptError("not an index of rows", where=str(path), fix="make the rows again")
    hashes: dict[str, Any] = index["sha256"]
    return hashes


def _unpacked(path: Path, sha256: object) -> tuple[Row, ...]:
    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise CorruptError("changed since it was written", where=str(path), fix="make the rows again")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return _rows({name: arrays[name] for name in ("input_ids", "labels", "seq_lengths", "ids")})
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise CorruptError(f"not readable as rows: {error}", where=str(path), fix="make the rows again") from error


def _rows(arrays: Mapping[str, NDArray[Any]]) -> tuple[Row, ...]:
    rows, document_number, token = [], 0, 0
    for ids in json.loads(arrays["ids"].tobytes()):
        lengths = tuple(map(int, arrays["seq_lengths"][document_number : document_number + len(ids)]))
        end = token + sum(lengths)
        rows.append(Row(tuple(ids), arrays["input_ids"][token:end], arrays["labels"][token:end], lengths))
        document_number, token = document_number + len(ids), end
    return tuple(rows)
