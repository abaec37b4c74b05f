"""The settings file: TOML, every key optional, a bad one named with its line and what is allowed."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from medlora_edge import paths
from medlora_edge.errors import MedloraError, ResourceError, UsageError

LONGEST_VALUE = 60  # characters of a bad value that are shown


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


class AppSettings(BaseModel):
    """How the terminal app looks and behaves."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    theme: Literal["dark", "light", "high-contrast"] = Field("dark", description="colours at the start")
    send_key: Literal["enter", "ctrl+j"] = Field(
        "enter", description="key that sends a question; the other one begins a new line"
    )
    type_ahead: bool = Field(True, description="compute the beginning of a question while it is being typed")
    idle_minutes: int = Field(5, ge=1, le=30, description="minutes without a key after which kept chats are locked")


class Settings(BaseModel):
    """Everything a user may set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: EngineSettings = EngineSettings()
    app: AppSettings = AppSettings()


def load_settings(path: Path | None = None) -> Settings:
    """Read the settings file; defaults where there is none.

    Raises UsageError that names the line, the key, the value and what is allowed; ResourceError when the disk refuses.
    """
    path = path or paths.settings_file()
    text = _text(path)
    if text is None:
        return Settings()
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits, 1,000 brackets: no TOMLDecodeError
        raise UsageError(f"the settings do not parse: {error}", where=str(path), fix="mend or delete it") from error
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise _explained(error, text, path) from error


def load_settings_or_defaults(path: Path | None = None) -> tuple[Settings, MedloraError | None]:
    """For the app, which opens all the same: the settings, or the defaults and what is wrong with the file."""
    try:
        return load_settings(path), None
    except MedloraError as error:
        return Settings(), error


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except IsADirectoryError as error:
        raise UsageError("the settings are a folder, not a file", where=str(path), fix="move it away") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        what = f"the settings are not UTF-8 text (byte {error.start})"
        raise UsageError(what, where=f"{path}, line {line}", fix="mend or delete it") from error
    except OSError as error:
        what = f"the settings cannot be read: {error.strerror}"
        raise ResourceError(what, where=str(path), fix="check who may read the file") from error


def _explained(error: ValidationError, text: str, path: Path) -> UsageError:
    first = error.errors()[0]
    keys = [str(part) for part in first["loc"][:2]]
    where, name = f"{path}, line {_line_of(keys, text)}", ".".join(keys)
    value = _shown(first["input"])
    if first["type"] == "extra_forbidden":
        return UsageError(f"unknown setting {name} = {value}", where=where, fix=f"known: {', '.join(_known(keys))}")
    if len(keys) == 1:
        fix = f"write [{name}] and its settings below: {', '.join(_known([name, '']))}"
        return UsageError(f"{name} = {value}: it is a table", where=where, fix=fix)
    allowed = "; ".join(item["msg"] for item in error.errors() if item["loc"][:2] == first["loc"][:2])
    return UsageError(f"{name} = {value}: {allowed}", where=where)


def _known(keys: list[str]) -> list[str]:
    """Names that may stand where the last of `keys` stands."""
    defaults: BaseModel = Settings()
    return list(type(getattr(defaults, keys[0]) if len(keys) > 1 else defaults).model_fields)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


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
