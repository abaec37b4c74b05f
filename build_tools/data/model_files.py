"""The JSON files of a Hugging Face model folder, as far as tokens and templates need them."""

import json
from pathlib import Path
from typing import Any

from medlora_edge.errors import CorruptError, UsageError

_STALE = "tokenizer_config.json has a chat_template of its own, and it is another one than chat_template.jinja"


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object; empty where there is no such file. Raises CorruptError."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise CorruptError(f"not readable as JSON: {error}", where=str(path), fix="get the model again") from error
    if not isinstance(value, dict):
        raise CorruptError("not a JSON object", where=str(path), fix="get the model again")
    return value


def token_text(config: dict[str, Any], kind: str) -> str | None:
    """Text of the `bos` or `eos` token of a tokenizer_config.json, however it is written there."""
    entry = config.get(f"{kind}_token")
    text = entry.get("content") if isinstance(entry, dict) else entry
    return text if isinstance(text, str) and text else None


def template_source(base: Path) -> str | None:
    """Jinja source of the base's chat template, None without one.

    Raises UsageError where two files disagree (transformers would take one of them, the converter the other),
    CorruptError for a file that cannot be read.
    """
    alone = _read_text(base / "chat_template.jinja")
    inside = _default(read_json(base / "tokenizer_config.json").get("chat_template"))
    if alone and inside and alone != inside:
        raise UsageError(_STALE, where=str(base), fix="remove the stale one")
    return alone or inside


def _read_text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise CorruptError(f"not readable as text: {error}", where=str(path), fix="get the model again") from error


def _default(template: object) -> str | None:
    """A single template, or the one named `default` of several."""
    if isinstance(template, list):
        named = {entry.get("name"): entry.get("template") for entry in template if isinstance(entry, dict)}
        template = named.get("default")
    return template if isinstance(template, str) else None
