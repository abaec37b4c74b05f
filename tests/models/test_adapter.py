"""An adapter is checked against its model before llama.cpp sees it, and what is wrong is named."""

from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import pytest

from medlora_edge.errors import CorruptError, ExitCode, MedloraError, UsageError
from medlora_edge.models import Model, find, find_adapter, read_header
from medlora_edge.models.adapter import check_adapter
from tests.lora import RANK, Pairs, random_pairs, write_adapter
from tests.models.corpus import by_chance, valid_gguf

QUERY, DOWN = "blk.0.attn_q.weight", "blk.1.ffn_down.weight"


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return find(str(valid_gguf(tmp_path / "model.gguf")))


@pytest.fixture
def pairs(model: Model) -> Pairs:
    return random_pairs(model.path, [QUERY, DOWN])


def test_a_sound_adapter_is_named_and_hashed(model: Model, pairs: Pairs, tmp_path: Path) -> None:
    import hashlib

    path = write_adapter(tmp_path / "my adapter.gguf", pairs)
    adapter = find_adapter(path, model)
    assert (adapter.name, adapter.path) == ("my-adapter", path)
    assert adapter.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert adapter.size_bytes == path.stat().st_size


def with_a(kind: gguf.GGMLQuantizationType, spoil: float | None = None) -> Callable[[gguf.GGUFWriter], None]:
    """Add an adapter of DOWN whose A is stored as `kind`; `spoil` replaces its first number."""

    def change(writer: gguf.GGUFWriter) -> None:
        a, b = np.ones((RANK, 96), np.float32), np.ones((64, RANK), np.float32)
        a[0, 0] = a[0, 0] if spoil is None else spoil
        writer.add_tensor(f"{DOWN}.lora_a", gguf.quants.quantize(a, kind), raw_dtype=kind)
        writer.add_tensor(f"{DOWN}.lora_b", b)

    return change


TYPES = [gguf.GGMLQuantizationType[name] for name in ("F32", "F16", "BF16", "Q8_0")]


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_that_the_converter_writes_is_read(
    model: Model, tmp_path: Path, kind: gguf.GGMLQuantizationType
) -> None:
    path = write_adapter(tmp_path / "a.gguf", {}, change=with_a(kind))
    assert find_adapter(path, model).path == path


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_a_number_that_is_none_is_named(
    model: Model, tmp_path: Path, kind: gguf.GGMLQuantizationType, value: float
) -> None:
    path = write_adapter(tmp_path / "a.gguf", {}, change=with_a(kind, value))
    with pytest.raises(CorruptError, match="NaN or infinity") as caught:
        find_adapter(path, model)
    assert f"{DOWN}.lora_a" in str(caught.value)


def tensor(name: str, *shape: int, kind: type = np.float32) -> Callable[[gguf.GGUFWriter], None]:
    return lambda writer: writer.add_tensor(name, np.ones(shape, kind))


def pair(name: str, a: tuple[int, ...], b: tuple[int, ...]) -> Callable[[gguf.GGUFWriter], None]:
    def change(writer: gguf.GGUFWriter) -> None:
        tensor(f"{name}.lora_a", *a)(writer)
        tensor(f"{name}.lora_b", *b)(writer)

    return change


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        (tensor(f"{QUERY}.lora_a", RANK, 64), f"{QUERY}.lora_b", "lacks one half"),
        (tensor(f"{QUERY}.lora_b", 64, RANK), f"{QUERY}.lora_a", "lacks one half"),
        (tensor("blk.0.attn_norm.weight", 64), "blk.0.attn_norm.weight", "no LoRA matrix"),
        (tensor(QUERY, 64, 64), QUERY, "no LoRA matrix"),
        (tensor(f"{QUERY}.lora_a", RANK, 64, kind=np.float64), f"{QUERY}.lora_a", "is F64"),
        (pair("blk.9.attn_q.weight", (8, 64), (64, 8)), "blk.9.attn_q.weight", "no such matrix"),
        (pair("blk.0.attn_norm.weight", (8, 64), (64, 8)), "blk.0.attn_norm.weight", "no such matrix"),
        (pair(QUERY, (8, 32), (64, 8)), f"{QUERY}.lora_a", "(32, 8)"),
        (pair(QUERY, (8, 64), (32, 8)), f"{QUERY}.lora_b", "(8, 32)"),
        (pair(QUERY, (4, 64), (64, 8)), f"{QUERY}.lora_a", "(64, 4)"),
        (pair(QUERY, (64, 8), (8, 64)), f"{QUERY}.lora_a", "(8, 64)"),
        (pair(QUERY, (1, 8, 64), (1, 64, 8)), f"{QUERY}.lora_a", "(64, 8, 1)"),
        (pair(QUERY, (64,), (8,)), f"{QUERY}.lora_a", "(64,)"),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(
    model: Model, tmp_path: Path, change: Callable[[gguf.GGUFWriter], None], place: str, words: str
) -> None:
    path = write_adapter(tmp_path / "a.gguf", {}, change=change)
    with pytest.raises(CorruptError) as caught:
        find_adapter(path, model)
    assert place in (caught.value.where or "")
    assert words in caught.value.what
    assert caught.value.code == ExitCode.CORRUPT


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ({"architecture": "qwen2"}, ExitCode.CORRUPT, "'qwen2', not 'llama'"),
        ({"kind": "control"}, ExitCode.CORRUPT, "'control', not 'lora'"),
        ({"alpha": None}, ExitCode.CORRUPT, "alpha is None"),
        ({"alpha": 0.0}, ExitCode.CORRUPT, "alpha is 0.0"),
        ({"alpha": float("nan")}, ExitCode.CORRUPT, "alpha is nan"),
        (
            {"change": lambda writer: writer.add_array("adapter.alora.invocation_tokens", [1, 2])},
            ExitCode.USAGE,
            "activated LoRA",
        ),
    ],
)
def test_metadata_that_does_not_fit_is_named(
    model: Model, pairs: Pairs, tmp_path: Path, more: dict[str, object], code: ExitCode, words: str
) -> None:
    path = write_adapter(tmp_path / "a.gguf", pairs, **more)  # type: ignore[arg-type]
    with pytest.raises(MedloraError) as caught:
        find_adapter(path, model)
    assert caught.value.code == code
    assert words in caught.value.what


def test_an_adapter_without_tensors_is_refused(model: Model, tmp_path: Path) -> None:
    with pytest.raises(CorruptError, match="no tensors"):
        find_adapter(write_adapter(tmp_path / "a.gguf", {}), model)


def test_embeddings_that_are_the_output_too_are_refused(model: Model, tmp_path: Path) -> None:
    path = write_adapter(tmp_path / "a.gguf", random_pairs(model.path, ["token_embd.weight"]))
    with pytest.raises(UsageError, match="output too") as caught:
        find_adapter(path, model)
    assert "merge" in (caught.value.fix or "")


def test_a_model_is_no_adapter_and_an_adapter_no_model(model: Model, pairs: Pairs, tmp_path: Path) -> None:
    path = write_adapter(tmp_path / "a.gguf", pairs)
    with pytest.raises(UsageError, match="it is a chat model") as caught:
        find_adapter(model.path, model)
    assert "--model" in (caught.value.fix or "")
    with pytest.raises(UsageError, match="it is an adapter") as caught:
        find(str(path))
    assert "--adapter" in (caught.value.fix or "")


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda place: None, UsageError, "no such file"),
        (Path.mkdir, UsageError, "folder"),
        (Path.touch, CorruptError, "empty"),
        (lambda place: place.write_text("{}"), CorruptError, "JSON"),
    ],
)
def test_what_is_no_gguf_is_refused(
    model: Model, tmp_path: Path, make: Callable[[Path], None], error: type[MedloraError], words: str
) -> None:
    path = tmp_path / "a.gguf"
    make(path)
    with pytest.raises(error, match=words):
        find_adapter(path, model)


def test_a_truncated_adapter_is_refused_wherever_it_ends(model: Model, pairs: Pairs, tmp_path: Path) -> None:
    path = write_adapter(tmp_path / "a.gguf", pairs)
    sound = path.read_bytes()
    last = read_header(path).tensors[-1]
    end = read_header(path).data_start + last.offset + last.size_bytes
    for length in [*range(0, end, 97), end - 1]:
        path.write_bytes(sound[:length])
        with pytest.raises(CorruptError):
            find_adapter(path, model)


@pytest.mark.parametrize("seed", range(3))
def test_chance_damage_is_refused_in_words_or_still_sound(
    model: Model, pairs: Pairs, tmp_path: Path, seed: int
) -> None:
    path = write_adapter(tmp_path / "a.gguf", pairs)
    sound, front, base = path.read_bytes(), read_header(path).data_start, read_header(model.path)
    refused = 0
    for _, damaged in by_chance(sound, seed, front):
        path.write_bytes(damaged)
        try:
            check_adapter(read_header(path), base)
        except (CorruptError, UsageError) as error:
            assert error.what
            assert error.where
            refused += 1
    assert refused > 100
