"""Recipes and stages for the preflight's tests."""

from pathlib import Path
from typing import Any

from build_tools.recipe.schema import ChatStage, CompletionStage, Recipe

CHAT: dict[str, Any] = {
    "kind": "chat",
    "name": "answers",
    "data": [{"format": "pubmedqa", "file": "pubmedqa.json", "licence": "mit"}],
    "adapter": {"rank": 8, "alpha": 16, "dropout": 0.05, "target_modules": "all-linear"},
    "optimiser": {"learning_rate": 1e-4},
    "max_length": 128,
}
COMPLETION: dict[str, Any] = CHAT | {
    "kind": "completion",
    "name": "text",
    "data": [{"format": "text", "files": ["text.txt"], "licence": "mit"}],
}


def chat(**changes: Any) -> ChatStage:
    """A chat stage of the tiny size."""
    return ChatStage.model_validate(CHAT | changes)


def completion(**changes: Any) -> CompletionStage:
    """A completion stage of the tiny size."""
    return CompletionStage.model_validate(COMPLETION | changes)


def recipe(base: Path | dict[str, Any], *stages: dict[str, Any], **changes: Any) -> Recipe:
    """A recipe on a base folder, or on what `base` says."""
    part = {"folder": base} if isinstance(base, Path) else base
    values = {
        "name": "tested",
        "source": "a test",
        "base": {"licence": "mit", **part},
        "stages": list(stages) or [CHAT],
    }
    return Recipe.model_validate(values | changes)
