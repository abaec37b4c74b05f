"""The smallest recipe that trains: a scratch model, text and questions; and sweep files over it."""

import json
from pathlib import Path

SCRATCH = "{hidden: 256, layers: 1, heads: 4, kv_heads: 4, feed_forward: 256, vocabulary: 512, context: 512}"
STAGE = """\
  - name: {name}
    kind: chat
    previous: {previous}
    data: [{{format: question_answer, file: questions.jsonl, licence: mit, held_out: 0.2}}]
    adapter: {{rank: 4, alpha: 8, target_modules: all-linear}}
    optimiser: {{learning_rate: 1.0e-3}}
    steps: 2
    max_length: 400
    evaluation: {{share: 0.2}}
"""
RECIPE = f"""\
name: small
source: a test
base: {{scratch: {SCRATCH}, licence: mit}}
stages:
  - name: text
    kind: completion
    data: [{{format: text, files: [text.jsonl], licence: mit}}]
    adapter: none
    load_bits: 32
    optimiser: {{name: adamw_torch, learning_rate: 1.0e-3}}
    steps: 2
    max_length: 64
    evaluation: {{share: 0.2}}
{STAGE.format(name="chat", previous="merge")}"""
TEXT = "the heart pumps blood through vessels while lungs take oxygen from air and kidneys filter what is left"


def write(folder: Path) -> Path:
    """Write `recipe.yaml` with its data."""
    words = TEXT.split()
    texts = [{"text": " ".join(words[number % 5 :] + words[: number % 7]) + f" {number}."} for number in range(40)]
    asked = [{"question": f"What does part {number} do?", "answer": words[number % 12]} for number in range(20)]
    for name, records in {"text.jsonl": texts, "questions.jsonl": asked}.items():
        (folder / name).write_text("".join(json.dumps(record) + "\n" for record in records))
    path = folder / "recipe.yaml"
    path.write_text(RECIPE)
    return path


def sweep_file(folder: Path, text: str) -> Path:
    """A sweep over it."""
    path = folder / "sweep.yaml"
    path.write_text(f"recipe: {write(folder).name}\n{text}")
    return path
