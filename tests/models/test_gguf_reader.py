"""The reader says what is in a sound file, and refuses in words what is no file to read."""

import os
from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import pytest

from medlora_edge.errors import CorruptError, MedloraError, UsageError
from medlora_edge.models import check, inspect, read_header, require_chat_model
from medlora_edge.models.gguf_header import StringArray
from medlora_edge.models.gguf_types import BLOCKS, FILE_TYPES, TensorType
from tests.models.corpus import LAYERS, PIECES, TEMPLATE, WIDTH, add_tokenizer, valid_gguf


def test_reads_what_gguf_wrote(tmp_path: Path) -> None:
    path = valid_gguf(tmp_path / "sound.gguf")
    header = inspect(path)
    theirs = gguf.GGUFReader(path)
    assert header.architecture == "llama"
    assert header.context_length == 512
    assert header.text("tokenizer.chat_template") == TEMPLATE
    assert [(tensor.name, tensor.offset + header.data_start) for tensor in header.tensors] == [
        (tensor.name, tensor.data_offset) for tensor in theirs.tensors
    ]
    assert header.parameters == sum(int(tensor.n_elements) for tensor in theirs.tensors)
    assert header.weights_bytes == sum(int(tensor.n_bytes) for tensor in theirs.tensors)
    assert header.tensor_types == {"F32": len(theirs.tensors)}
    assert set(header.values) | {"GGUF.version", "GGUF.tensor_count", "GGUF.kv_count"} == set(theirs.fields)


def test_reads_every_type_of_value(tmp_path: Path) -> None:
    numbers = {"uint8": 200, "int8": -5, "uint16": 65535, "int16": -300, "uint32": 1 << 31, "int32": -(1 << 31)}
    more = {"uint64": (1 << 64) - 1, "int64": -(1 << 63), "float32": 0.5, "float64": 0.1, "bool": False}

    def change(writer: gguf.GGUFWriter) -> None:
        for kind, value in (numbers | more).items():
            getattr(writer, f"add_{kind}")(f"x.{kind}", value)
        writer.add_array("x.texts", ["a", "", "ü"])
        writer.add_array("x.flags", [True, False])
        writer.add_array("x.floats", [1.5, -2.0])

    values = read_header(valid_gguf(tmp_path / "m.gguf", change)).values
    assert {f"x.{kind}": value for kind, value in (numbers | more).items()}.items() <= dict(values).items()
    assert isinstance(values["x.texts"], StringArray)
    assert list(values["x.texts"]) == [b"a", b"", "ü".encode()]
    assert list(values["x.flags"]) == [1, 0]  # type: ignore[arg-type]
    assert list(values["x.floats"]) == [1.5, -2.0]  # type: ignore[arg-type]


def test_block_sizes_and_names_are_those_of_the_reference() -> None:
    known = {kind.name: tuple(size) for kind, size in gguf.GGML_QUANT_SIZES.items()}
    ours = {kind.name: tuple(BLOCKS[kind]) for kind in TensorType}
    computing_only, newer_than_the_reference = {"Q8_1", "Q8_K"}, {"Q2_0"}
    assert ours.keys() - newer_than_the_reference == known.keys() - computing_only
    assert all(ours[name] == size for name, size in known.items() if name in ours)
    assert all(gguf.GGMLQuantizationType[name] == TensorType[name] for name in known if name in ours)


def test_file_types_are_those_of_the_reference() -> None:
    known = {kind: kind.name.removeprefix("MOSTLY_").removeprefix("ALL_") for kind in gguf.LlamaFileType}
    known.pop(gguf.LlamaFileType.GUESSED)
    assert known.items() <= FILE_TYPES.items()


def test_a_real_q3_k_l_file_is_named_and_counted(tiny_gguf: Path) -> None:
    header = inspect(tiny_gguf)
    assert header.quantisation == "Q3_K_L"
    assert header.tensor_types["Q3_K"] > 0
    assert sum(header.tensor_types.values()) == len(gguf.GGUFReader(tiny_gguf).tensors)


def test_a_quarter_million_tokens_are_no_trouble(tmp_path: Path) -> None:
    count = 262_144
    path = tmp_path / "vocabulary.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([f"token{number}" for number in range(count)])
    writer.add_token_merges([f"a{number} b" for number in range(514_906)])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    header = read_header(path)
    check(header)
    tokens = header.strings("tokenizer.ggml.tokens")
    assert tokens
    assert len(tokens) == count


def make_folder(place: Path) -> None:
    place.mkdir()


def make_pipe(place: Path) -> None:
    os.mkfifo(place)


def make_loop(place: Path) -> None:
    place.symlink_to(place)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda place: None, "no such file"),
        (make_folder, "folder"),
        (make_pipe, "pipe"),
        (lambda place: place.symlink_to("/dev/zero"), "device"),
        (make_loop, "symbolic link"),
    ],
)
def test_what_is_no_file_is_wrong_use(make: Callable[[Path], None], word: str, tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    make(path)
    with pytest.raises(UsageError, match=word) as caught:
        read_header(path)
    assert caught.value.code == 2


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b"])
def test_impossible_paths_are_wrong_use(name: str) -> None:
    with pytest.raises(UsageError):
        read_header(Path(name))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda writer: writer.add_uint16("split.count", 3), "split over several files"),
        (lambda writer: writer.add_pooling_type(gguf.PoolingType.LAST), "embedding"),
        (lambda writer: writer.add_causal_attention(False), "encoder"),
        (lambda writer: writer.add_array("llama.classifier.output_labels", ["yes", "no"]), "reranking"),
        (lambda writer: writer.add_type("adapter"), "adapter"),
        (lambda writer: writer.add_type("mmproj"), "projector"),
    ],
)
def test_valid_files_for_another_job_are_wrong_use(
    change: Callable[[gguf.GGUFWriter], None], word: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=word):
        inspect(valid_gguf(tmp_path / "m.gguf", change))


@pytest.mark.parametrize(
    ("arch", "word"),
    [
        ("bert", "embedding"),
        ("nomic-bert", "embedding"),
        ("gemma-embedding", "embedding"),
        ("t5", "encoder-decoder"),
        ("clip", "projector"),
        ("llada", "diffusion"),
        ("dream", "diffusion"),
        ("eagle3", "draft"),
        ("wavtokenizer-dec", "speech"),
        ("controlvector", "statistics"),
    ],
)
def test_architectures_that_cannot_chat_are_wrong_use(arch: str, word: str, tmp_path: Path) -> None:
    header = read_header(valid_gguf(tmp_path / "m.gguf", arch=arch))
    check(header)
    with pytest.raises(UsageError, match=word) as caught:
        require_chat_model(header)
    assert caught.value.code == 2


def bare(path: Path, fill: Callable[[gguf.GGUFWriter], None]) -> Path:
    writer = gguf.GGUFWriter(path, "llama")
    fill(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_a_vocabulary_alone_cannot_chat(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="without any weights"):
        inspect(bare(tmp_path / "m.gguf", add_tokenizer))


def test_weights_without_a_vocabulary_cannot_chat(tmp_path: Path) -> None:
    def fill(writer: gguf.GGUFWriter) -> None:
        writer.add_tokenizer_model("no_vocab")
        writer.add_tensor("token_embd.weight", np.zeros((8, WIDTH), np.float32))

    with pytest.raises(UsageError, match="without a vocabulary"):
        inspect(bare(tmp_path / "m.gguf", fill))


def test_sentencepiece_without_byte_tokens_is_refused(tmp_path: Path) -> None:
    path = valid_gguf(tmp_path / "m.gguf")
    path.write_bytes(path.read_bytes().replace(b"<0x41>", b"<0xzz>"))
    with pytest.raises(CorruptError, match="byte 65"):
        inspect(path)


def test_lists_with_a_number_for_each_layer_are_read(tmp_path: Path) -> None:
    def change(writer: gguf.GGUFWriter) -> None:
        writer.add_array("x.heads", [2] * LAYERS)
        writer.add_array("x.short", [2])

    header = read_header(valid_gguf(tmp_path / "m.gguf", change))
    assert header.per_layer("x.heads", LAYERS) == (2,) * LAYERS
    assert header.per_layer("llama.attention.head_count_kv", LAYERS) == (2,) * LAYERS
    with pytest.raises(CorruptError):
        header.per_layer("x.short", LAYERS)


@pytest.mark.sdist
def test_every_vocabulary_of_the_pinned_llama_cpp(sdist: Path) -> None:
    files = sorted((sdist / "vendor" / "llama.cpp" / "models").glob("ggml-vocab-*.gguf"))
    assert len(files) >= 17
    outcomes = {}
    for file in files:
        try:
            header = read_header(file)
            check(header)
            assert len(header.strings("tokenizer.ggml.tokens") or ()) > len(PIECES)
            require_chat_model(header)
        except MedloraError as error:
            outcomes[file.name] = (type(error), error.what)
    assert outcomes.keys() == {file.name for file in files}
    old = outcomes.pop("ggml-vocab-aquila.gguf")
    assert "version 2" in old[1]
    assert {kind for kind, _ in outcomes.values()} == {UsageError}
