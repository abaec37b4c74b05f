"""Records and hashes: what was written is what is read, and one changed byte is named."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from build_tools.gates.report import GateReport, Measure
from build_tools.manifest import (
    FILE_NAME,
    Code,
    Hardware,
    StepRecord,
    check_outputs,
    outputs_of,
    read_record,
    sha256_of_file,
    sha256_of_folder,
    write_record,
)
from medlora_edge.errors import CorruptError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A step's folder: two outputs, and a checkpoint that is none."""
    place = tmp_path / "train"
    for name in ("adapter/weights.bin", "metrics.jsonl", "checkpoints/1/state.bin", ".begun"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(name.encode())
    return place


def record_of(folder: Path) -> StepRecord:
    nothing = GateReport(hop="x", measures=(Measure(name="loss", value=float("nan"), limit=1, side="at most"),))
    return StepRecord(
        step="train/chat",
        key="k",
        recipe_sha256="r",
        seed=1,
        inputs={"data/chat": "a"},
        outputs=outputs_of(folder, ("checkpoints",)),
        unhashed=("checkpoints",),
        parents=("data/chat",),
        versions={"torch": "2.13.0"},
        code=Code(commit=None, dirty=None),
        hardware=Hardware(cpu="a processor", cores=2, memory_bytes=1, system="Linux x86_64"),
        started=datetime.now(UTC),
        seconds=1.5,
        gates=(nothing,),
        facts={"loss": 0.1, "text": "ü"},
    )


def test_a_record_reads_as_it_was_written(folder: Path) -> None:
    record = record_of(folder)
    write_record(folder, record)
    again = read_record(folder)
    assert again.model_dump_json() == record.model_dump_json()
    assert set(again.outputs) == {"adapter/weights.bin", "metrics.jsonl"}
    check_outputs(folder, again)


def test_every_changed_byte_of_a_record_is_found(folder: Path) -> None:
    write_record(folder, record_of(folder))
    path = folder / FILE_NAME
    sound = path.read_bytes()
    for place in range(0, len(sound), 7):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
        with pytest.raises(CorruptError, match="record"):
            read_record(folder)
    path.write_bytes(sound[:-40])
    with pytest.raises(CorruptError, match="record is malformed"):
        read_record(folder)
    path.unlink()
    with pytest.raises(CorruptError, match="cannot be read"):
        read_record(folder)


def test_a_changed_a_missing_and_a_foreign_output_are_named(folder: Path) -> None:
    record = record_of(folder)
    weights = folder / "adapter" / "weights.bin"
    sound = weights.read_bytes()
    weights.write_bytes(sound[:-1] + b"?")
    with pytest.raises(CorruptError, match="SHA-256") as changed:
        check_outputs(folder, record)
    assert changed.value.where == str(weights)
    weights.unlink()
    with pytest.raises(CorruptError, match="gone"):
        check_outputs(folder, record)
    weights.write_bytes(sound)
    (folder / "adapter" / "more.bin").touch()
    with pytest.raises(CorruptError, match="no step made"):
        check_outputs(folder, record)


def test_a_folders_hash_is_that_of_its_names_and_contents(folder: Path) -> None:
    record = record_of(folder)
    assert record.sha256_of("adapter") == sha256_of_folder(folder / "adapter")
    assert record.sha256_of("metrics.jsonl") == sha256_of_file(folder / "metrics.jsonl")
    assert record.sha256_of("elsewhere") is None
    before = sha256_of_folder(folder)
    write_record(folder, record)
    (folder / ".hidden").touch()
    assert sha256_of_folder(folder) == before
    (folder / "adapter" / "weights.bin").rename(folder / "adapter" / "other.bin")
    assert sha256_of_folder(folder) != before
