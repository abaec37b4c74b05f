"""The chat template that a recipe wants, and a base folder that has it."""

import json
import os
import shutil
import tempfile
from pathlib import Path

from build_tools.bases.scratch import CHATML
from build_tools.recipe.schema import Base
from medlora_edge.errors import CorruptError, UsageError
from medlora_edge.files import write_atomic

TEMPLATE = "chat_template.jinja"
TOKENIZER_CONFIG = "tokenizer_config.json"


def prepare(base: Base, recipe_folder: Path, found: Path, folder: Path) -> Path:
    """The folder to train from: `found` itself, or `folder`, which has its files and the wanted chat template.

    Large files are hard links where the file system has them. `folder` must not exist; it appears whole.
    Raises UsageError for a template file that cannot be read.
    """
    template = replacement(base, recipe_folder)
    if template is None:
        return found
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as workplace:
        made = Path(workplace, "base")
        made.mkdir()
        for file in sorted(place for place in found.iterdir() if place.is_file()):
            _link_or_copy(file, made / file.name)
        _set_template(made, template)
        made.replace(folder)
    return folder


def replacement(base: Base, recipe_folder: Path) -> str | None:
    """Source of the chat template that the recipe puts in place of the base's; None where the base's own stays.

    Raises UsageError for a file that cannot be read.
    """
    if base.chat_template == "base":
        return None
    file = CHATML if base.chat_template == "chatml" else recipe_folder / base.chat_template
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the chat template cannot be read: {error}", where=str(file)) from error


def _set_template(folder: Path, template: str) -> None:
    """One template in one place: tokenizer_config.json may have another, which the converter would take."""
    (folder / TEMPLATE).unlink(missing_ok=True)
    write_atomic(folder / TEMPLATE, template.encode())
    file = folder / TOKENIZER_CONFIG
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        values.pop("chat_template", None)
    except FileNotFoundError:
        return
    except (ValueError, AttributeError) as error:
        raise CorruptError(f"not a JSON object: {error}", where=str(file), fix="get the model again") from error
    write_atomic(file, json.dumps(values, indent=2, ensure_ascii=False).encode() + b"\n")


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
