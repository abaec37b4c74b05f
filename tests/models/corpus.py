"""A small sound GGUF that llama.cpp loads, and hundreds of damaged ones made from it."""

import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import gguf
import numpy as np

LAYERS, WIDTH, HEADS, KV_HEADS, FEED_FORWARD, CONTEXT = 2, 64, 4, 2, 96, 512
PIECES = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "▁a", "yes", "no", "maybe", "."]
TEMPLATE = "{% for message in messages %}{{ message['content'] }}\n{% endfor %}"


def valid_gguf(path: Path, change: Callable[[gguf.GGUFWriter], None] | None = None, arch: str = "llama") -> Path:
    """Write a Llama with random weights to `path`; `change` may add metadata before it is written."""
    writer = gguf.GGUFWriter(path, arch)
    add_hyperparameters(writer)
    add_tokenizer(writer)
    if change:
        change(writer)
    add_weights(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def add_hyperparameters(writer: gguf.GGUFWriter) -> None:
    writer.add_custom_alignment(32)
    writer.add_name("corpus")
    writer.add_license("apache-2.0")
    writer.add_bool("medlora.untrained", True)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_rope_scaling_type(gguf.RopeScalingType.NONE)
    writer.add_expert_count(0)
    writer.add_expert_used_count(0)


def add_tokenizer(writer: gguf.GGUFWriter) -> None:
    writer.add_tokenizer_model("llama")
    writer.add_token_list(PIECES)
    writer.add_token_scores([-float(index) for index in range(len(PIECES))])
    writer.add_token_types([2, 3, 3, *[6] * 256, *[1] * (len(PIECES) - 259)])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(TEMPLATE)


def add_weights(writer: gguf.GGUFWriter) -> None:
    numbers = np.random.default_rng(0)

    def add(name: str, *shape: int) -> None:
        writer.add_tensor(name, numbers.normal(0, 0.05, shape).astype(np.float32))

    add("token_embd.weight", len(PIECES), WIDTH)
    add("output_norm.weight", WIDTH)
    for layer in range(LAYERS):
        block, shared = f"blk.{layer}", WIDTH // HEADS * KV_HEADS
        add(f"{block}.attn_norm.weight", WIDTH)
        add(f"{block}.attn_q.weight", WIDTH, WIDTH)
        add(f"{block}.attn_k.weight", shared, WIDTH)
        add(f"{block}.attn_v.weight", shared, WIDTH)
        add(f"{block}.attn_output.weight", WIDTH, WIDTH)
        add(f"{block}.ffn_norm.weight", WIDTH)
        add(f"{block}.ffn_gate.weight", FEED_FORWARD, WIDTH)
        add(f"{block}.ffn_up.weight", FEED_FORWARD, WIDTH)
        add(f"{block}.ffn_down.weight", WIDTH, FEED_FORWARD)


# --- damage -----------------------------------------------------------------------------------------------


def patched(sound: bytes, offset: int, form: str, value: float) -> bytes:
    """`sound` with one number written over at `offset`."""
    damaged = bytearray(sound)
    struct.pack_into(f"<{form}", damaged, offset, value)
    return bytes(damaged)


def value_at(sound: bytes, key: str) -> int:
    """Place of a key's value type; the value lies 4 bytes on."""
    return sound.index(struct.pack("<Q", len(key)) + key.encode()) + 8 + len(key)


def with_value(sound: bytes, key: str, form: str, value: float) -> bytes:
    return patched(sound, value_at(sound, key) + 4, form, value)


def tensor_at(sound: bytes, name: str) -> int:
    """Place of a two-dimensional tensor's dimension count; then 2 x 8 dimensions, 4 type, 8 offset."""
    return sound.index(struct.pack("<Q", len(name)) + name.encode()) + 8 + len(name)


def header_size(sound: bytes) -> int:
    last = "blk.1.ffn_down.weight"
    return tensor_at(sound, last) + 32


Case = tuple[str, bytes, str]


def by_hand(sound: bytes) -> Iterator[Case]:
    """Each kind of damage once: its name, the file, and a word of the sentence that must refuse it."""
    yield from not_a_gguf(sound)
    yield from bad_counts(sound)
    yield from bad_metadata(sound)
    yield from bad_hyperparameters(sound)
    yield from bad_vocabulary(sound)
    yield from bad_tensors(sound)


def not_a_gguf(sound: bytes) -> Iterator[Case]:
    yield "empty", b"", "empty"
    yield "html", b"\n<!DOCTYPE html><html><body>404</body></html>", "web page"
    yield "lfs", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS"
    yield "zip", b"PK\x03\x04" + bytes(100), "zip"
    yield "json", b'{"error": "Repository not found"}', "JSON"
    yield "ggjt", b"tjgg" + bytes(100), "before GGUF"
    yield "other magic", b"GGUG" + sound[4:], "begins with"
    yield "magic only", b"GGUF", "truncated"
    for version in (0, 1, 2):
        yield f"version {version}", patched(sound, 4, "I", version), "too old"
    yield "version 4", patched(sound, 4, "I", 4), "version 4"
    yield "big-endian", patched(sound, 4, "I", 3 << 24), "big-endian"


def bad_counts(sound: bytes) -> Iterator[Case]:
    for count in (16385, 1 << 62, 1 << 63, (1 << 64) - 1):
        yield f"{count} tensors", patched(sound, 8, "Q", count), "tensors"
        yield f"{count} values", patched(sound, 16, "Q", count), "values"
    first_key = 24
    yield "huge key", patched(sound, first_key, "Q", 1 << 40), "claims"
    yield "long key", patched(sound, first_key, "Q", 1025), "claims"
    name = value_at(sound, "general.name")
    yield "huge string", patched(sound, name + 4, "Q", 1 << 62), "claims"
    tokens = value_at(sound, "tokenizer.ggml.tokens")
    for count in (1_000_001, 1 << 61, (1 << 64) - 1):
        yield f"{count} tokens", patched(sound, tokens + 8, "Q", count), "list claims"
    yield "a million scores", with_list(sound, "tokenizer.ggml.scores", 1_000_000), "list claims"
    yield "huge token", patched(sound, tokens + 16, "Q", 1 << 50), "text in a list"


def with_list(sound: bytes, key: str, count: int) -> bytes:
    return patched(sound, value_at(sound, key) + 8, "Q", count)


def bad_metadata(sound: bytes) -> Iterator[Case]:
    kind = value_at(sound, "llama.block_count")
    for number in (13, 255, (1 << 32) - 1):
        yield f"value type {number}", patched(sound, kind, "I", number), "unknown type"
    tokens = value_at(sound, "tokenizer.ggml.tokens")
    yield "list of lists", patched(sound, tokens + 4, "I", 9), "list of lists"
    yield "bool 2", with_value(sound, "medlora.untrained", "B", 2), "neither true nor false"
    twice = sound.replace(b"tokenizer.ggml.eos_token_id", b"tokenizer.ggml.bos_token_id")
    yield "key twice", twice, "twice"
    yield "bad key", sound.replace(b"general.name", b"general.\xff\xfe\xfd\xfc"), "UTF-8"
    yield "bad text", sound.replace(b"apache-2.0", b"\xc3\x28pache2.0"), "UTF-8"
    for alignment in (0, 3, 8192):
        yield f"alignment {alignment}", with_value(sound, "general.alignment", "I", alignment), "alignment"
    yield "architecture", sound.replace(b"llama.", b"lmama."), "missing"
    architecture = value_at(sound, "general.architecture")
    yield "no architecture", sound[: architecture - 4] + b"nope" + sound[architecture:], "architecture"


def bad_hyperparameters(sound: bytes) -> Iterator[Case]:
    for name, values, word in (
        ("block_count", (0, 1, 3, 513, 1000, 0xFFFFFFFF), "layers"),
        ("context_length", (0, 0xFFFFFFFF), "not between"),
        ("embedding_length", (0, 0xFFFFFFFF), "not between"),
        ("embedding_length", (128,), "embeddings"),
        ("feed_forward_length", (0xFFFFFFFF,), "not between"),
        ("attention.head_count", (0, 3, 5, 64, 0xFFFFFFFF), "head"),
        ("attention.head_count_kv", (3, 8, 0xFFFFFFFF), "share"),
        ("rope.dimension_count", (15,), "odd"),
        ("rope.dimension_count", (64, 0xFFFFFFFE), "dimension_count"),
        ("expert_count", (2, 0xFFFFFFFF), "expert"),
        ("expert_used_count", (2, 0xFFFFFFFF), "experts"),
    ):
        for value in values:
            damaged = with_value(sound, f"llama.{name}", "I", value)
            yield f"{name} {value}", damaged, "" if name == "block_count" else word
    for epsilon in (float("nan"), float("inf"), -1.0):
        damaged = with_value(sound, "llama.attention.layer_norm_rms_epsilon", "f", epsilon)
        yield f"epsilon {epsilon}", damaged, "impossible hyperparameter"
    yield "rope scaling", sound.replace(b"\x04\0\0\0\0\0\0\0none", b"\x04\0\0\0\0\0\0\0nope"), "RoPE scaling"
    yield "layers as float", patched(sound, value_at(sound, "llama.block_count"), "I", 6), "whole number"


def bad_vocabulary(sound: bytes) -> Iterator[Case]:
    size = len(PIECES)
    for name in ("bos", "eos"):
        yield f"{name} outside", with_value(sound, f"tokenizer.ggml.{name}_token_id", "I", size), "vocabulary"
    yield "token twice", sound.replace(b"maybe", b"yes\0\0"), "twice"
    types = "tokenizer.ggml.token_type"
    shifted = value_at(sound, types) + 16
    shorter = with_list(sound, types, size - 1)
    yield "a type less", shorter[:shifted] + shorter[shifted + 4 :] + bytes(32), "each of"
    longer = with_list(sound, types, size + 1)
    yield "a type more", longer[:shifted] + bytes(4) + longer[shifted:], "each of"


def bad_tensors(sound: bytes) -> Iterator[Case]:
    tensor = tensor_at(sound, "blk.0.attn_q.weight")
    kind, offset = tensor + 20, tensor + 24
    for count in (0, 5, 0xFFFFFFFF):
        yield f"{count} dimensions", patched(sound, tensor, "I", count), "dimensions"
    yield "empty dimension", patched(sound, tensor + 4, "Q", 0), "empty dimension"
    for size in (1 << 58, 1 << 63, (1 << 64) - 1):
        yield f"dimension {size}", patched(sound, tensor + 12, "Q", size), "overflows"
    # 2^58 + 32 numbers in rows of 32, 18 bytes each: 64-bit arithmetic makes a few bytes of it.
    wrapping = patched(patched(sound, kind, "I", 2), tensor + 12, "Q", (1 << 57) + 1)
    yield "wrapping Q4_0", wrapping, "overflows"
    yield "past the end", patched(sound, tensor + 12, "Q", 1 << 40), "truncated"
    for number in (4, 9, 15, 31, 43, 0xFFFFFFFF):
        yield f"tensor type {number}", patched(sound, kind, "I", number), "unknown type"
    yield "broken rows", patched(patched(sound, kind, "I", 11), tensor + 4, "Q", 100), "multiples"
    for place in (1, 32, 1 << 40, (1 << 64) - 32):
        yield f"offset {place}", patched(sound, offset, "Q", place), "begins at"
    yield "name twice", sound.replace(b"blk.1.attn_q.weight", b"blk.0.attn_q.weight"), "same name"
    yield "layer missing", sound.replace(b"blk.1.", b"blo.1."), "no tensor"
    yield "layer too many", sound.replace(b"blk.1.", b"blk.2."), "tensors of more"
    yield "no embeddings", sound.replace(b"token_embd.weight", b"token_embx.weight"), "embeddings"
    yield "weights cut", sound[:-1000], "truncated"


def by_chance(sound: bytes, seed: int, front: int | None = None) -> Iterator[tuple[str, bytes]]:
    """Truncations over the whole header, and flipped bits, overwritten and moved pieces at seeded places.

    `front`: bytes of the header, measured unless given.
    """
    numbers, front = random.Random(seed), front or header_size(sound)
    for part in range(40):
        yield f"cut to {part}/40 of the header", sound[: front * part // 40]
    for number in range(120):
        place = numbers.randrange(front)
        yield f"flip {number} at {place}", patched(sound, place, "B", sound[place] ^ 1 << numbers.randrange(8))
    for number in range(40):
        place, size = numbers.randrange(front), numbers.randrange(1, 64)
        noise = numbers.choice((bytes(size), b"\xff" * size, numbers.randbytes(size)))
        yield f"overwrite {number} at {place}", sound[:place] + noise + sound[place + size :]
    for number in range(30):
        place, size = numbers.randrange(front), numbers.randrange(1, 32)
        yield f"drop {number} at {place}", sound[:place] + sound[place + size :]


def corrupted(seed: int = 0, sound: bytes | None = None) -> Iterator[tuple[str, bytes]]:
    """More than 200 damaged files: every kind of damage by hand, then by chance."""
    whole = sound or sound_bytes()
    yield from ((name, damaged) for name, damaged, _ in by_hand(whole))
    yield from by_chance(whole, seed)


def sound_bytes() -> bytes:
    """The bytes of `valid_gguf`."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return valid_gguf(Path(folder, "sound.gguf")).read_bytes()
