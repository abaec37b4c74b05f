"""What an adapter was trained on: written into its folder by training, demanded by merging."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from medlora_edge.errors import CorruptError
from medlora_edge.files import write_atomic

FILE = "adapter_base.json"
LoadBits = Literal[4, 16, 32]


class Origin(BaseModel):
    """The base folder's hash, the hashes of the earlier adapters that were stacked on it, oldest first, and how many
    bits a weight the base was loaded with."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    base_sha256: str
    adapters: tuple[str, ...] = ()
    load_bits: LoadBits


def write(adapter: Path, origin: Origin) -> None:
    """Put it into the adapter's folder."""
    write_atomic(adapter / FILE, origin.model_dump_json(indent=2).encode() + b"\n")


def read(adapter: Path) -> Origin:
    """What the adapter's folder says. Raises CorruptError where it says nothing or nothing readable."""
    path = adapter / FILE
    fix = "train the adapter again, or take its folder whole from where it was trained"
    try:
        return Origin.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise CorruptError("the adapter does not say which base it was trained on", where=str(path), fix=fix) from error
    except ValidationError as error:
        raise CorruptError(f"not a record of a base: {error.errors()[0]['msg']}", where=str(path), fix=fix) from error
