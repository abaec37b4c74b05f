"""Safetensors files: read as the library reads them, and nothing damaged gets past the header."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build_tools.merging.stored_tensors import load, overwrite, stored_tensors
from medlora_edge.errors import CorruptError, UsageError


def saved(folder: Path) -> Path:
    import torch
    from safetensors.torch import save_file

    tensors = {
        "a": torch.arange(6, dtype=torch.float32).reshape(2, 3),
        "b": torch.arange(4, dtype=torch.bfloat16),
        "c": torch.ones(2, 2, dtype=torch.float16),
        "d": torch.ones(2, dtype=torch.int64),
    }
    path = folder / "x.safetensors"
    save_file(tensors, path, metadata={"format": "pt"})
    return path


def with_header(path: Path, header: dict[str, Any], data: bytes) -> Path:
    content = json.dumps(header).encode()
    path.write_bytes(len(content).to_bytes(8, "little") + content + data)
    return path


def test_tensors_are_what_the_library_reads(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    path = saved(tmp_path)
    theirs, ours = load_file(path), stored_tensors(path)
    assert set(ours) == set(theirs)
    for name in "abc":
        assert ours[name].shape == tuple(theirs[name].shape)
        assert load(ours[name]).equal(theirs[name].float())


def test_an_integer_tensor_is_no_weight(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="d is stored as I64"):
        load(stored_tensors(saved(tmp_path))["d"])


def test_overwriting_changes_that_tensor_only(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    path = saved(tmp_path)
    before = load_file(path)
    before = {name: tensor.clone() for name, tensor in before.items()}
    overwrite(stored_tensors(path)["b"], torch.full((4,), 0.1))
    after = load_file(path)
    assert after["b"].equal(torch.full((4,), 0.1, dtype=torch.bfloat16))
    assert all(after[name].equal(before[name]) for name in "acd")


def test_a_value_beyond_the_type_is_refused_and_the_file_keeps_the_old_one(tmp_path: Path) -> None:
    import torch

    path = saved(tmp_path)
    content = path.read_bytes()
    with pytest.raises(CorruptError, match="c would not be finite in F16"):
        overwrite(stored_tensors(path)["c"], torch.full((2, 2), 1e6))
    assert path.read_bytes() == content


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    path = saved(tmp_path)
    content = path.read_bytes()
    for size in range(0, len(content), 7):
        path.write_bytes(content[:size])
        with pytest.raises(CorruptError, match="truncated"):
            stored_tensors(path)


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("header", "data", "said"),
    [
        ({"w": ENTRY}, bytes(12), "4 bytes behind the last tensor"),
        ({"w": {**ENTRY, "data_offsets": [4, 12]}}, bytes(12), "place in the file"),
        ({"w": {**ENTRY, "shape": [3]}}, bytes(8), "place in the file"),
        ({"w": ENTRY, "v": ENTRY}, bytes(8), "place in the file"),
        ({"w": {**ENTRY, "shape": [-2]}}, bytes(8), "no list of tensors"),
        ({"w": {**ENTRY, "dtype": "Q9"}}, bytes(8), "'Q9' is unknown"),
        ({"w": [1, 2]}, bytes(8), "no list of tensors"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(tmp_path: Path, header: dict[str, Any], data: bytes, said: str) -> None:
    with pytest.raises(CorruptError, match=said):
        stored_tensors(with_header(tmp_path / "x.safetensors", header, data))


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    path.write_bytes(content)
    with pytest.raises(CorruptError):
        stored_tensors(path)
        raise CorruptError("a file without tensors")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorruptError, match="missing") as caught:
        stored_tensors(tmp_path / "x.safetensors")
    assert caught.value.where == str(tmp_path / "x.safetensors")
