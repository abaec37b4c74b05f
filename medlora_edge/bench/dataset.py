"""PubMedQA records (Jin et al. 2019, `ori_pqal.json`): read with bounds, checked, hashed."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from medlora_edge.bench.kinds import Origin
from medlora_edge.bench.rawfile import read_bounded
from medlora_edge.bench.schema import Label
from medlora_edge.errors import CorruptError
from medlora_edge.tasks import Question

OFFICIAL_SHA256 = "8b3276be8942ebbd77f3ddcda12c1749bf0e490045a736fd8438ee40cf37a41d"
MAX_CONTEXT_CHARACTERS = 150_000  # one question has to fit one line of the engine protocol, escapes included

_Filled = Annotated[str, StringConstraints(pattern=r"\S", max_length=MAX_CONTEXT_CHARACTERS)]


class _Record(BaseModel):
    model_config = ConfigDict(strict=True)

    QUESTION: _Filled
    CONTEXTS: list[_Filled] = Field(min_length=1)
    LABELS: list[str] = []
    MESHES: list[str] = []
    YEAR: str | None = None
    LONG_ANSWER: str
    final_decision: Label


class _Identified(BaseModel):
    id: Annotated[str, StringConstraints(pattern=r"^[\w.:-]{1,100}$")]


@dataclass(frozen=True)
class Item:
    """One question with its expert label."""

    question: Question
    gold: Label


@dataclass(frozen=True)
class Dataset:
    """Checked items in file order. `sha256` of the uncompressed file."""

    origin: Origin
    sha256: str
    items: tuple[Item, ...]


def read(path: Path) -> Dataset:
    """Read a file of PubMedQA's form, plain or gzip.

    Raises UsageError (no file), CorruptError (damaged, wrong form, duplicate ids, unknown label, empty
    context).
    """
    return parse(read_bounded(path), str(path))


def parse(content: bytes, where: str) -> Dataset:
    """Check uncompressed content; `where` names it in errors. Raises CorruptError."""
    sha256 = hashlib.sha256(content).hexdigest()
    records = _load(content, where)
    if not isinstance(records, dict) or not records:
        raise _wrong_form("one JSON object, id to record, is expected", where)
    items = tuple(_item(id_, record, where) for id_, record in records.items())
    origin = Origin.OFFICIAL if sha256 == OFFICIAL_SHA256 else Origin.OWN
    return Dataset(origin, sha256, items)


def _load(content: bytes, where: str) -> Any:
    try:
        return json.loads(content, object_pairs_hook=_unique)
    except _DuplicateError as error:
        raise _wrong_form(f"{error.args[0]!r} stands twice in one object", where) from error
    except (ValueError, RecursionError) as error:
        raise _wrong_form(f"not readable as JSON: {error}", where) from error


class _DuplicateError(Exception):
    pass


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) == len(pairs):
        return unique
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise _DuplicateError(key[:100])
        seen.add(key)
    raise AssertionError


def _item(id_: str, record: Any, where: str) -> Item:
    try:
        _Identified(id=id_)
        checked = _Record.model_validate(record)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the record"
        raise _wrong_form(f"{field}: {first['msg']}", f"{where}, record {id_[:100]!r}") from error
    if sum(map(len, checked.CONTEXTS)) + len(checked.QUESTION) > MAX_CONTEXT_CHARACTERS:
        limit = f"question and contexts have more than {MAX_CONTEXT_CHARACTERS:,} characters"
        raise _wrong_form(limit, f"{where}, record {id_!r}")
    return Item(Question(id_, checked.QUESTION, tuple(checked.CONTEXTS)), checked.final_decision)


def _wrong_form(what: str, where: str) -> CorruptError:
    fix = "PubMedQA's form is an object of records with QUESTION, CONTEXTS, final_decision, LONG_ANSWER"
    return CorruptError(f"not a usable PubMedQA file: {what}", where=where, fix=fix)
