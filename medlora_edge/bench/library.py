"""The data sets at hand: the official one when it was imported, else the sample that comes with the program."""

import json
from importlib.resources import files
from pathlib import Path

from medlora_edge import paths
from medlora_edge.bench.dataset import Dataset, parse, read
from medlora_edge.bench.kinds import Origin
from medlora_edge.bench.rawfile import read_bounded
from medlora_edge.errors import CorruptError, ResourceError
from medlora_edge.files import write_atomic

OFFICIAL_RECORDS = 1000


def sample() -> Dataset:
    """The invented items that come with the program: for trying it, not for measuring a model."""
    content = files("medlora_edge.bench").joinpath("sample_pubmedqa.json").read_bytes()
    shipped = parse(content, "the shipped sample set")
    return Dataset(Origin.SAMPLE, shipped.sha256, shipped.items)


def installed_path() -> Path:
    """Where `data import pubmedqa` puts the official file."""
    return paths.datasets_dir() / "pubmedqa" / "ori_pqal.json"


def installed() -> Dataset | None:
    """The imported official set, or None. Raises CorruptError when it changed since."""
    path = installed_path()
    if not path.exists():
        return None
    dataset = read(path)
    if dataset.origin is not Origin.OFFICIAL:
        raise CorruptError("the installed PubMedQA has changed", where=str(path), fix="import it again")
    return dataset


def choose(path: Path | None) -> Dataset:
    """The named file, else the imported official set, else the shipped sample. Raises as `read` does."""
    return read(path) if path else installed() or sample()


def install(path: Path) -> Path:
    """Check that `path` is the official file, and keep its uncompressed bytes. Returns where.

    Raises CorruptError when it is not the official set, ResourceError when it cannot be written.
    """
    content = read_bounded(path)
    dataset = parse(content, str(path))
    fix = "import data/ori_pqal.json of github.com/pubmedqa/pubmedqa; measure on your own file with --data"
    if len(dataset.items) != OFFICIAL_RECORDS:
        found = f"{len(dataset.items):,} records; the official PubMedQA has {OFFICIAL_RECORDS:,}"
        raise CorruptError(found, where=str(path), fix=fix)
    if dataset.origin is not Origin.OFFICIAL:
        raise CorruptError(f"SHA-256 {dataset.sha256} is not the official file's", where=str(path), fix=fix)
    target = installed_path()
    paths.private_folder(target.parent)
    try:
        write_atomic(target, content)
    except OSError as error:
        raise ResourceError(f"cannot write: {error.strerror}", where=str(target), fix="free space") from error
    return target


def official_test_ids() -> tuple[str, ...]:
    """The 500 official test ids, in official order."""
    text = files("medlora_edge.bench").joinpath("pubmedqa_test_ids.json").read_text(encoding="utf-8")
    return tuple(json.loads(text)["ids"])
