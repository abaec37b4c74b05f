"""A good recipe to make bad ones from: written into a folder of its own, with the files that it names."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from build_tools.recipe import RecipeError, load

GOOD = """\
name: good
source: this test
base:
  folder: base
  licence: MIT
stages:
  - name: text
    kind: completion
    data:
      - {format: text, files: [notes.txt], licence: MIT}
    adapter: {rank: 8, alpha: 16, target_modules: [q_proj, v_proj]}
    optimiser: {learning_rate: 2e-4}
    steps: 20
    max_length: 128
  - name: answers
    kind: chat
    previous: merge
    data:
      - {format: pubmedqa, file: questions.json, licence: MIT}
    adapter:
      rank: 8
      alpha: 16
      target_modules: all-linear
    optimiser: {learning_rate: 2e-4}
    schedule:
      name: cosine
      warmup_steps: 5
    epochs: 2
    max_length: 128
    packing: true
"""

Document = dict[str, Any]
Mutation = Callable[[Document], None]


def write(folder: Path, text: str = GOOD) -> Path:
    """The recipe in `folder`, beside a base and the data it names."""
    (folder / "base").mkdir(parents=True, exist_ok=True)
    for name in ("notes.txt", "questions.json"):
        (folder / name).write_text("{}")
    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def changed(folder: Path, *replacements: tuple[str, str]) -> Path:
    """The good recipe with parts of its text replaced, each of which stands in it once or more."""
    text = GOOD
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new, 1)
    return write(folder, text)


def problems(path: Path, **options: Any) -> tuple[str, ...]:
    """The lines of complaint about a recipe; none for a good one."""
    try:
        load(path, **options)
    except RecipeError as error:
        return error.lines
    return ()
