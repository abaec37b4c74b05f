"""The record of the models that an upgrade took along: which bundle brought each, and the files it consists of."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from medlora_setup.archive_contents import MAX_BYTES, MAX_FILES, Content, read_content
from medlora_setup.joining import MODELS
from medlora_setup.manifest import ID
from medlora_setup.manifest_fields import Fields, canonical, malformed, parsed
from medlora_setup.manifest_rules import require_paths

CARRIED = "carried.json"


@dataclass(frozen=True)
class Carried:
    """A model that the bundle `serial` brought in parts; its files with their paths in a version's folder."""

    model: str
    serial: int
    files: tuple[Content, ...]


def read_carried(data: bytes) -> tuple[Carried, ...]:
    """Read the record that `write_carried` wrote. Raises SetupError (exit 3) naming the field that is malformed."""
    if len(data) > MAX_BYTES:
        raise malformed(f"it has {len(data)} bytes; at most {MAX_BYTES} are allowed", CARRIED)
    top = Fields.of(parsed(data, CARRIED), CARRIED, frozenset({"models"}))
    models = tuple(_model(value, at) for value, at in top.items("models", MAX_FILES))
    require_paths([file.path for model in models for file in model.files], CARRIED)
    if write_carried(models) != data:
        raise malformed("it is not in its canonical form (sorted members, no spaces)", CARRIED)
    return models


def write_carried(models: Sequence[Carried]) -> bytes:
    """The record's canonical bytes."""
    return canonical({"models": [asdict(model) for model in models]})


def _model(value: object, where: str) -> Carried:
    entry = Fields.of(value, where, frozenset(field.name for field in fields(Carried)))
    name = entry.text("model", ID)
    files = tuple(read_content(file, at) for file, at in entry.items("files", MAX_FILES))
    if not all(file.path.startswith(f"{MODELS}/{name}/") for file in files):
        entry.refuse("files", "a file lies outside the model's folder")
    return Carried(name, entry.integer("serial", least=1), files)
