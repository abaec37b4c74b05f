"""The sample set, and the import of the official one."""

import gzip
import json
from pathlib import Path

import pytest

from medlora_edge.bench import library
from medlora_edge.bench.kinds import Origin
from medlora_edge.errors import CorruptError
from tests.bench.samples import record, write_records


def test_the_sample_set() -> None:
    shipped = library.sample()
    assert shipped.origin is Origin.SAMPLE
    assert len(shipped.items) >= 24
    assert {item.gold for item in shipped.items} == {"yes", "no", "maybe"}
    assert len({item.question.question for item in shipped.items}) == len(shipped.items)


@pytest.mark.shared_data
def test_import_of_the_official_set(shared_data: Path) -> None:
    assert library.installed() is None
    assert library.choose(None).origin is Origin.SAMPLE
    target = library.install(shared_data / "pubmedqa" / "ori_pqal.json.gz")
    kept = library.installed()
    assert kept is not None
    assert kept.origin is Origin.OFFICIAL
    assert len(kept.items) == 1000
    assert library.choose(None) == kept
    target.write_bytes(target.read_bytes().replace(b"yes", b"no", 1))
    with pytest.raises(CorruptError, match="has changed"):
        library.installed()


def test_import_refuses_another_count(tmp_path: Path) -> None:
    with pytest.raises(CorruptError, match="2 records"):
        library.install(write_records(tmp_path / "two.json", {"1": record(), "2": record()}))


@pytest.mark.shared_data
def test_import_refuses_a_changed_copy(shared_data: Path, tmp_path: Path) -> None:
    content = gzip.decompress((shared_data / "pubmedqa" / "ori_pqal.json.gz").read_bytes())
    path = tmp_path / "changed.json"
    path.write_bytes(content + b"\n")
    with pytest.raises(CorruptError, match="SHA-256"):
        library.install(path)


@pytest.mark.shared_data
def test_the_official_test_ids(shared_data: Path) -> None:
    truth = json.loads((shared_data / "pubmedqa" / "test_ground_truth.json").read_text())
    assert library.official_test_ids() == tuple(truth)
