"""Rows on disk: what comes back is what was written, or an error that names the file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from build_tools.data.pack import pack
from build_tools.data.rows import IGNORED, Row, Rows, document, load, save
from medlora_edge.errors import CorruptError, UsageError


def some_rows() -> Rows:
    documents = [document(f"µ {number}.jsonl:{number}", range(number + 2), range(number + 2)) for number in range(9)]
    return Rows(pack(documents[:7], 16), tuple(documents[7:]))


def as_lists(rows: tuple[Row, ...]) -> list[object]:
    return [(row.ids, row.input_ids.tolist(), row.labels.tolist(), row.seq_lengths) for row in rows]


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    rows = some_rows()
    save(rows, tmp_path / "data")
    loaded = load(tmp_path / "data")
    assert as_lists(loaded.train) == as_lists(rows.train)
    assert as_lists(loaded.held_out) == as_lists(rows.held_out)
    assert loaded.train[0].trained == int((rows.train[0].labels != IGNORED).sum())


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        save(some_rows(), tmp_path / name)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_no_rows_at_all_come_back_too(tmp_path: Path) -> None:
    save(Rows((), ()), tmp_path)
    assert load(tmp_path) == Rows((), ())


def test_saving_again_replaces(tmp_path: Path) -> None:
    save(Rows((), ()), tmp_path)
    save(some_rows(), tmp_path)
    assert len(load(tmp_path).held_out) == 2


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["train.npz", "held_out.npz", "rows.json"])
@pytest.mark.parametrize(
    "damage",
    [flip, lambda path: path.write_bytes(path.read_bytes()[:-9]), lambda path: path.write_bytes(b""), Path.unlink],
    ids=["flipped", "cut", "empty", "gone"],
)
def test_damage_is_named(tmp_path: Path, name: str, damage: Callable[[Path], object]) -> None:
    save(some_rows(), tmp_path)
    damage(tmp_path / name)
    with pytest.raises((CorruptError, UsageError)) as caught:
        load(tmp_path)
    assert str(tmp_path) in (caught.value.where or "")


def test_an_interrupted_save_is_not_taken_for_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(some_rows(), tmp_path)
    monkeypatch.setattr("build_tools.data.rows._packed", lambda rows: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        save(some_rows(), tmp_path)
    with pytest.raises(UsageError, match="no rows"):
        load(tmp_path)
