"""Records what each model answers to the self-test's words on the build machine, for each engine variant it can run.

Variants add up in different orders: where two tokens are nearly equally likely they may part, and then all that follows
differs. So each has its own record, and one that this machine cannot run has none: the laptop then says so.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from medlora_edge.engine.backends import NATIVE, variants
from medlora_edge.errors import EngineError
from medlora_edge.models.catalogue import SHIPPED
from medlora_edge.models.hashing import sha256_of
from medlora_edge.models.names import name_from
from medlora_edge.models.self_test import fixed_words
from medlora_setup.manifest_fields import canonical

SCHEMA = 1
LIBRARIES = Path("app", "llama_cpp", "lib")
SMALL_BYTES = 1 << 30
TOO_LARGE = "the model is too large to be answered by every variant at build"
CANNOT_RUN = "the build machine's processor cannot run it"


@dataclass
class Record:
    """What is known of one model: its answers in token ids by variant, or why a variant has none."""

    name: str
    sha256: str
    answers: dict[str, list[list[int]]] = field(default_factory=dict)
    not_recorded: dict[str, str] = field(default_factory=dict)


def write(program: Path, out: Path, models: Sequence[Path] = ()) -> None:
    """Let `program`, the assembled tree's own, answer with the shipped model and each of `models`; write the record.

    Of a model above 1 GiB no answers are recorded. Raises EngineError when the program does not answer.
    """
    able = {found.name: found.score > 0 for found in variants(program.parents[1] / LIBRARIES)} or {NATIVE: True}
    records = [_answered(program, SHIPPED, SHIPPED, able)]
    for path in models:
        name = name_from(path).lower()
        small = path.stat().st_size <= SMALL_BYTES
        records.append(_answered(program, name, str(path), able) if small else _unanswered(name, path, able))
    told = {"schema": SCHEMA, "prompts": fixed_words().prompts, "models": [asdict(record) for record in records]}
    out.write_bytes(canonical(told))


def _unanswered(name: str, path: Path, able: dict[str, bool]) -> Record:
    return Record(name, sha256_of(path), not_recorded=dict.fromkeys(able, TOO_LARGE))


def _answered(program: Path, name: str, model: str, able: dict[str, bool]) -> Record:
    """`model` is its name or its file, as the program takes it."""
    record = Record(name, "", not_recorded={variant: CANNOT_RUN for variant, can in able.items() if not can})
    for variant, can in able.items():
        if can:
            told = _told(program, model, variant)
            record.sha256 = told["model"]["sha256"]
            record.answers[variant] = [answer["tokens"] for answer in told["answers"]]
    return record


def _told(program: Path, model: str, variant: str) -> dict[str, Any]:
    command = [str(program), "self-test", "--model", model, "--variant", variant, "--json"]
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "MEDLORA_HOME": home}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EngineError(
            f"{model} gives no answers with the variant {variant}: {done.stderr.strip()}", where=str(program)
        )
    told: dict[str, Any] = json.loads(done.stdout)
    return told
