"""What is known about an installed model: `manifest.json` beside its GGUF, readable by people."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from medlora_edge.errors import CorruptError
from medlora_edge.files import write_atomic
from medlora_edge.models.gguf_header import GgufHeader

FILE_NAME = "manifest.json"
MAX_BYTES = 1 << 20
SAFE_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"

# Written by whoever makes a model with random weights, so that no one takes its answers for a model's.
UNTRAINED_KEY = "medlora.untrained"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Part):
    """Where a model came from: a file's name, or a repository at a revision."""

    file: str
    repo: str | None = None
    revision: str | None = None


def source_of(path: Path) -> Source:
    """Make the source of a local file; bytes of its name that are no text become question marks."""
    return Source(file=path.name.encode(errors="replace").decode())


class Manifest(_Part):
    """One installed model. `tensor_types` counts tensors; `lineage` and `bench` are free notes."""

    schema_version: Literal[1] = 1
    name: str = Field(pattern=SAFE_NAME)
    file: str = Field(pattern=SAFE_NAME)
    size_bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    architecture: str
    parameters: int = Field(ge=0)
    quantisation: str
    tensor_types: dict[str, int]
    context_length: int = Field(ge=1)
    licence: str | None = None
    template_sha256: str | None = None
    source: Source
    added: AwareDatetime
    untrained: bool = False
    demonstration: bool = False
    notes: str = ""
    lineage: dict[str, JsonValue] = {}
    bench: dict[str, JsonValue] = {}


def describe(
    header: GgufHeader,
    *,
    name: str,
    sha256: str,
    source: Source,
    file: str | None = None,
    licence: str | None = None,
) -> Manifest:
    """Make the manifest of a checked file, called NAME.gguf and under its own licence unless said otherwise."""
    return Manifest(
        name=name,
        file=file or f"{name}.gguf",
        size_bytes=header.file_size,
        sha256=sha256,
        architecture=header.architecture,
        parameters=header.parameters,
        quantisation=header.quantisation,
        tensor_types=header.tensor_types,
        context_length=header.context_length,
        licence=licence or header.text("general.license") or None,
        template_sha256=header.template_sha256,
        source=source,
        added=datetime.now(UTC).replace(microsecond=0),
        untrained=header.boolean(UNTRAINED_KEY, default=False),
    )


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `manifest.json` into `folder`, whole or not at all. Raises OSError as the disk gives it."""
    write_atomic(folder / FILE_NAME, manifest.model_dump_json(indent=2).encode() + b"\n")


def read_manifest(folder: Path) -> Manifest:
    """Read `manifest.json`. Raises CorruptError with the field and the reason."""
    path = folder / FILE_NAME
    fix = "remove the model and add it again"
    try:
        with path.open("rb") as stream:
            text = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise CorruptError(
            f"the model's manifest cannot be read: {error.strerror}", where=str(path), fix=fix
        ) from error
    if len(text) > MAX_BYTES:
        raise CorruptError("the model's manifest is larger than any manifest", where=str(path), fix=fix)
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or "the whole file"
        raise CorruptError(
            f"the model's manifest is malformed: {first['msg']}", where=f"{path}, {field}", fix=fix
        ) from error
