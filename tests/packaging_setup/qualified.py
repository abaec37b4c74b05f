"""A laptop whose installed program gives canned answers, so that each check can be made to fail by itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from medlora_setup.qualification import Check
from medlora_setup.qualify import qualify
from medlora_setup.report import Filed
from tests.packaging_setup import toy
from tests.packaging_setup.laptop import FINGERPRINT, Laptop

PROGRAM = b"""#!/bin/sh
# Prints the canned answer to its first argument; a program beside the answer says how it ends.
answers=$(dirname "$(readlink -f "$0")")/../app/answers
cat "$answers/$1.json"
[ ! -f "$answers/$1.sh" ] || . "$answers/$1.sh"
"""
MODEL_SHA256 = sha256(b"a model").hexdigest()
PROMPTS = ["What is sepsis?", "And fever?"]
TOKENS = [[5, 6, 7], [8, 9]]
EXPECTED = {
    "schema": 1,
    "prompts": PROMPTS,
    "models": [
        {
            "name": "starter",
            "sha256": MODEL_SHA256,
            "answers": {"haswell": TOKENS, "x64": [[5, 6, 7], [8, 1]]},
            "not_recorded": {"zen4": "the build machine's processor cannot run it"},
        }
    ],
}
TIMINGS = {
    "prefill_tokens_per_second": 1059.4,
    "decode_tokens_per_second": None,
    "seconds_median": 0.137,
    "seconds_p95": 0.583,
    "wall_seconds": 5.2,
    "peak_memory_bytes": 122 << 20,
}


def answers() -> dict[str, Any]:
    """What a program that is in order answers, as far as it is read: by its first argument."""
    return {
        "doctor": {
            "versions": {"medlora-edge": "0.1.0", "python": "3.11.7"},
            "engine": {"llama.cpp": "0.3.36"},
            "models": {"starter": "intact"},
        },
        "self-test": {
            "model": {"name": "starter", "sha256": MODEL_SHA256},
            "engine": {"variant": "haswell", "backends": "CPU : AVX2 = 1 | FMA = 1 |"},
            "memory": {"needed_bytes": 500 << 20, "available_bytes": 900 << 20, "context_tokens": 1024},
            "answers": [{"prompt": prompt, "tokens": tokens} for prompt, tokens in zip(PROMPTS, TOKENS, strict=True)],
        },
        "ask": {"model": {"name": "starter"}, "timings": {"generated_tokens": 12, "total_seconds": 0.25}},
        "bench": {
            "finished": True,
            "engine_failed": [],
            "metrics": {
                "n": 25,
                "accuracy": 0.44,
                "strict_valid_rate": 1.0,
                "majority_rate": 0.44,
                "intervals": {"accuracy": [0.27, 0.63], "strict_valid_rate": [0.87, 1.0]},
            },
            "timings": TIMINGS,
            "card": {
                "model": {"name": "starter", "sha256": MODEL_SHA256},
                "data": {"name": "PubMedQA", "origin": "sample"},
                "resolved": {"threads": 2, "parallel": 16},
            },
        },
    }


@dataclass(frozen=True)
class Qualified:
    """What came of a qualification on a laptop."""

    filed: Filed

    def check(self, name: str) -> Check:
        """The one check of this name."""
        (check,) = (check for check in self.filed.qualification.checks if check.name == name)
        return check

    def named(self, outcome: str) -> set[str]:
        """Names of the checks that ended so."""
        return {check.name for check in self.filed.qualification.checks if check.outcome == outcome}


def install(
    laptop: Laptop,
    told: Mapping[str, Any] | None = None,
    *,
    ends: Mapping[str, str] | None = None,
    expected: object = EXPECTED,
) -> None:
    """Install a program that answers `told`; `ends` are lines of shell after the answer to a first argument."""
    canned = {f"app/answers/{name}.json": json.dumps(answer).encode() for name, answer in (told or answers()).items()}
    after = {f"app/answers/{name}.sh": line.encode() for name, line in (ends or {}).items()}
    programs = {"bin/medlora-edge": PROGRAM, "bin/medlora-setup": PROGRAM}
    made = toy.Toy(app=canned | after | programs, models={}, expected_tokens=json.dumps(expected).encode())
    assert laptop.setup("install", toy.build(laptop.folder / "bundle", made), "--key", FINGERPRINT) == 0


def run(laptop: Laptop) -> Qualified:
    """Qualify what is installed, in this process; the report goes into the laptop's folder."""
    return Qualified(qualify(laptop.layout, laptop.folder, say=lambda _what: None))
