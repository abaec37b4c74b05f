"""The memory plan counts what llama.cpp allocates, and names a context that fits when the wanted one does not."""

from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medlora_edge.engine.protocol import ContextOptions
from medlora_edge.errors import ResourceError
from medlora_edge.models import plan, read_header, require_memory
from medlora_edge.models.gguf_header import GgufHeader, StringArray, TensorInfo, Value
from medlora_edge.models.gguf_types import TensorType
from medlora_edge.models.memory_available import available_memory, cgroup_rooms
from medlora_edge.models.memory_plan import MARGIN, OVERHEAD
from medlora_edge.models.units import GIB, MIB, size_text


def header(**values: Value) -> GgufHeader:
    """An 8B Llama 3 as its header describes it, with changes."""
    shape: dict[str, Value] = {
        "block_count": 32,
        "context_length": 8192,
        "embedding_length": 4096,
        "feed_forward_length": 14336,
        "attention.head_count": 32,
        "attention.head_count_kv": 8,
    }
    changes = {name.replace("__", "."): value for name, value in values.items()}
    metadata: dict[str, Value] = {f"llama.{name}": value for name, value in (shape | changes).items()}
    metadata |= {
        "general.architecture": "llama",
        "tokenizer.ggml.tokens": StringArray(b"", array("I", [0] * 128_256)),
    }
    weights = TensorInfo("all", (4096, 1 << 20), TensorType.Q8_0, 0)
    return GgufHeader(Path("m.gguf"), 1 << 33, 32, 4096, metadata, (weights,))


@pytest.mark.parametrize(
    ("changes", "options", "mib"),
    [
        ({}, {}, 512),
        ({"attention.head_count_kv": 32}, {}, 2048),
        ({}, {"kv_type": "q8_0"}, 272),
        ({}, {"n_ctx": 0}, 1024),
        ({}, {"n_ctx": 4097}, 512 + 32),
        ({}, {"n_seq_max": 16}, 512 + 32),  # a cache each, and one for the prefix that prompts share
        ({}, {"n_ctx": 4097, "n_seq_max": 16}, 1024 + 64),
        ({"attention.key_length": 64, "attention.value_length": 64}, {}, 256),
        ({"attention.head_count_kv": array("i", [8, 0] * 16)}, {}, 256),
        ({"attention.key_length": 256, "attention.key_length_mla": 192}, {}, 512),
    ],
)
def test_kv_cache(changes: dict[str, Value], options: dict[str, str | int], mib: int) -> None:
    fields = {name.replace(".", "__"): value for name, value in changes.items()}
    planned = plan(header(**fields), ContextOptions.model_validate(options))
    assert planned.kv == mib * MIB


@pytest.mark.parametrize(
    ("n_ctx", "n_batch", "mib"), [(4096, 512, 120.01), (8192, 512, 124.01), (1024, 512, 117.01), (4096, 128, 30.0)]
)
def test_compute_buffer_is_what_llama_cpp_logged_for_this_shape(n_ctx: int, n_batch: int, mib: float) -> None:
    planned = plan(header(), ContextOptions(n_ctx=n_ctx, n_batch=n_batch))
    logits = 48 * 4 * 128_256
    assert (planned.compute - logits) / MIB == pytest.approx(mib, rel=0.1)


def test_mixtures_of_experts_need_more_for_computing() -> None:
    dense, experts = header(), header(expert_count=64, expert_used_count=8, expert_feed_forward_length=4096)
    assert plan(experts, ContextOptions()).compute > plan(dense, ContextOptions()).compute


def test_sums_and_verdict() -> None:
    planned = plan(header(), ContextOptions(), available=8 * GIB)
    assert planned.weights == 4096 * (1 << 20) // 32 * 34
    assert planned.overhead == OVERHEAD + MARGIN
    assert planned.total == planned.weights + planned.kv + planned.compute + planned.overhead
    assert planned.fits
    assert planned.largest_context == 8192


def test_too_little_memory_names_numbers_and_a_context_that_fits() -> None:
    free = plan(header(), ContextOptions(n_ctx=3000), available=0).total
    with pytest.raises(ResourceError) as caught:
        require_memory(header(), ContextOptions(), available=free)
    text = str(caught.value)
    assert caught.value.code == 4
    assert size_text(free) in text
    assert "512.0 MiB" in text
    assert "at most 3072 tokens" in text
    assert require_memory(header(), ContextOptions(n_ctx=3072), available=free).fits


def test_weights_that_do_not_fit_are_said_so() -> None:
    with pytest.raises(ResourceError, match="not enough memory") as caught:
        require_memory(header(), ContextOptions(), available=2 * GIB)
    assert "not even the weights" in str(caught.value)


@given(
    st.integers(0, 16 * GIB),
    st.integers(1, 1 << 20),
    st.sampled_from([32, 128, 512]),
    st.sampled_from(["f16", "q8_0"]),
    st.sampled_from([1, 4]),
)
def test_the_largest_context_fits_and_the_next_does_not(
    free: int, trained: int, batch: int, kv_type: str, width: int
) -> None:
    model = header(context_length=trained)
    options = ContextOptions.model_validate({"n_batch": batch, "kv_type": kv_type, "n_seq_max": width})
    step = 256 * width
    largest = plan(model, options, available=free).largest_context
    assert largest % step == 0
    if largest:
        assert plan(model, options.model_copy(update={"n_ctx": largest}), available=free).fits
    if largest < trained * width:
        assert not plan(model, options.model_copy(update={"n_ctx": largest + step}), available=free).fits


def test_a_real_model_fits_here(tiny_gguf: Path) -> None:
    planned = require_memory(read_header(tiny_gguf), ContextOptions(n_ctx=512))
    assert planned.available <= available_memory() * 2


def test_memory_limit_of_a_version_2_group_or_its_parent(tmp_path: Path) -> None:
    own = tmp_path / "cgroup"
    own.write_text("0::/box/inner\n")
    root = tmp_path / "fs"
    inner = root / "box" / "inner"
    inner.mkdir(parents=True)
    (inner / "memory.max").write_text("max\n")
    (inner / "memory.current").write_text("5\n")
    assert cgroup_rooms(root, own) == []
    (root / "box" / "memory.max").write_text("1000\n")
    (root / "box" / "memory.current").write_text("800\n")
    assert cgroup_rooms(root, own) == [200]
    (root / "box" / "memory.stat").write_text("anon 600\ninactive_file 100\nactive_file 50\n")
    assert cgroup_rooms(root, own) == [350]


def test_memory_limit_of_a_version_1_group(tmp_path: Path) -> None:
    own = tmp_path / "cgroup"
    own.write_text("5:cpu,cpuacct:/x\n4:memory:/x\nnonsense\n")
    group = tmp_path / "fs" / "memory" / "x"
    group.mkdir(parents=True)
    (group / "memory.limit_in_bytes").write_text("1000")
    (group / "memory.usage_in_bytes").write_text("1300")
    (group / "memory.stat").write_text("inactive_file 1\ntotal_inactive_file 400\ntotal_active_file 0\n")
    assert cgroup_rooms(tmp_path / "fs", own) == [100]


def test_no_groups_no_limit(tmp_path: Path) -> None:
    assert cgroup_rooms(tmp_path, tmp_path / "missing") == []
