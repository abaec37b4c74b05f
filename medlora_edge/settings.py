"""The settings file: TOML, every key optional, a bad one named with its line and what is allowed."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from medlora_edge import paths
from medlora_edge.errors import UsageError


class EngineSettings(BaseModel):
    """How the model is run."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    threads: Annotated[int, Field(ge=1, le=512)] | Literal["auto"] = Field(
        "auto", description='compute threads, or "auto" for the physical cores'
    )
    gpu_layers: Annotated[int, Field(ge=0, le=1024)] | Literal["auto"] = Field(
        "auto", description='layers on a GPU, or "auto" for all where one is'
    )
    kv_type: Literal["f16", "q8_0"] = Field("f16", description="number format of the KV cache")
    context: int = Field(4096, ge=256, le=1 << 20, description="tokens of one conversation")


class Settings(BaseModel):
    """Everything a user may set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: EngineSettings = EngineSettings()


def load_settings(path: Path | None = None) -> Settings:
    """Read the settings file; defaults where there is none.

    Raises UsageError that names the line, the key, the value and what is allowed.
    """
    path = path or paths.settings_file()
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return Settings()
    except IsADirectoryError as error:
        raise UsageError("the settings are a folder, not a file", where=str(path), fix="move it away") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the settings are not UTF-8 text (byte {error.start})", where=str(path)) from error
    try:
        return Settings.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the settings do not parse: {error}", where=str(path), fix="mend or delete it") from error
    except ValidationError as error:
        raise _explained(error, text, path) from error


def _explained(error: ValidationError, text: str, path: Path) -> UsageError:
    first = error.errors()[0]
    keys = [str(part) for part in first["loc"][:2]]
    line = _line_of(keys, text)
    if first["type"] == "extra_forbidden":
        known = ", ".join(EngineSettings.model_fields) if keys[0] == "engine" else ", ".join(Settings.model_fields)
        return UsageError(f"unknown setting {'.'.join(keys)}", where=f"{path}, line {line}", fix=f"known: {known}")
    allowed = "; ".join(item["msg"] for item in error.errors() if item["loc"][:2] == first["loc"][:2])
    return UsageError(f"{'.'.join(keys)} = {first['input']!r}: {allowed}", where=f"{path}, line {line}")


def _line_of(keys: list[str], text: str) -> int:
    """Line on which a key stands, in its table or dotted; 1 when it is written another way."""
    wanted = ".".join(keys)
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([^\]]+?)\s*\]", line):
            table = f"{header[1]}."
            if header[1] == wanted:
                return number
        elif (entry := re.match(r"\s*([\w.\-]+)\s*=", line)) and table + entry[1] == wanted:
            return number
    return 1
