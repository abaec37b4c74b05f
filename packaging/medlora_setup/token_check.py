"""Compares the tokens of a greedy self-test with those recorded when the bundle was built."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from medlora_setup.errors import Code, SetupError
from medlora_setup.installed_program import Told
from medlora_setup.qualification import Check, Outcome

Answers = tuple[tuple[int, ...], ...]  # one sequence of token ids for each prompt


@dataclass(frozen=True)
class Recorded:
    """What one model answered on the build machine: by engine variant; or why nothing is known of a variant."""

    name: str
    sha256: str
    prompts: tuple[str, ...]
    answers: Mapping[str, Answers]
    not_recorded: Mapping[str, str]


def read_recorded(path: Path) -> tuple[Recorded, ...]:
    """Read the record. Raises SetupError (exit 3) when it is missing or malformed."""
    try:
        told = json.loads(path.read_bytes())
        return tuple(_recorded(model, tuple(told["prompts"])) for model in told["models"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SetupError(
            f"the record of expected tokens cannot be used: {error}",
            where=str(path),
            fix="install the bundle again",
            code=Code.CORRUPT,
        ) from error


def _recorded(model: Told, prompts: tuple[str, ...]) -> Recorded:
    answers = {variant: tuple(map(tuple, tokens)) for variant, tokens in model["answers"].items()}
    if any(len(tokens) != len(prompts) for tokens in answers.values()):
        raise ValueError(f"{model['name']} has answers to another number of prompts")
    return Recorded(model["name"], model["sha256"], prompts, answers, dict(model["not_recorded"]))


def check_tokens(recorded: Recorded, told: Told) -> Check:
    """Judge what `medlora-edge self-test --json` told of the recorded model."""
    variant = told["engine"]["variant"]
    answers = tuple(tuple(answer["tokens"]) for answer in told["answers"])
    done = (
        f"The model answered {len(recorded.prompts)} fixed prompts greedily; each token was compared with the record "
        "made at build for this engine variant."
    )
    found, outcome = _judged(recorded, told, variant, answers)
    return Check(f"Self-test of {recorded.name}", done, found, outcome)


def _judged(recorded: Recorded, told: Told, variant: str, answers: Answers) -> tuple[str, Outcome]:
    if told["model"]["sha256"] != recorded.sha256:
        return f"The model is another file: SHA-256 {told['model']['sha256']}", Outcome.FAILED
    if tuple(answer["prompt"] for answer in told["answers"]) != recorded.prompts:
        return "The program asks other prompts than those recorded.", Outcome.FAILED
    expected = recorded.answers.get(variant)
    if expected is None:
        return _unrecorded(recorded, variant, answers), Outcome.NOT_POSSIBLE
    count = sum(map(len, answers))
    if answers == expected:
        return f"All {count} tokens equal the record, variant {variant}.", Outcome.PASSED
    return f"Variant {variant}: {_first_difference(expected, answers)}.", Outcome.FAILED


def _unrecorded(recorded: Recorded, variant: str, answers: Answers) -> str:
    why = recorded.not_recorded.get(variant, "it is not named in the record")
    same = [name for name, expected in recorded.answers.items() if expected == answers]
    beside = f"the same tokens as recorded for {', '.join(same)}" if same else "other tokens than any variant recorded"
    return f"No tokens are recorded for variant {variant}: {why}. It gave {beside}."


def _first_difference(expected: Answers, answers: Answers) -> str:
    for number, (one, other) in enumerate(zip(expected, answers, strict=True), start=1):
        if one != other:
            same = _common(one, other)
            return f"prompt {number} differs from the record after {same} equal tokens of {len(one)}"
    raise AssertionError


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    differing = (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differing, min(len(one), len(other)))
