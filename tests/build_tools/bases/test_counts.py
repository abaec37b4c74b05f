"""Counts of trained numbers: the published ones of four seed systems, and PEFT's own on every layout."""

from collections.abc import Callable
from pathlib import Path

import pytest

from build_tools.bases import architectures, counts
from build_tools.recipe.schema import ALL_LINEAR, Adapter
from medlora_edge.errors import CorruptError, UsageError

SHAPES = Path(counts.__file__).parents[1] / "shapes"
LAYOUTS = ("llama", "mistral", "qwen2", "gemma", "gpt2", "falcon", "falcon-rw")


def lora(rank: int, *targets: str) -> Adapter:
    return Adapter.model_validate({"rank": rank, "alpha": 16, "target_modules": targets or ALL_LINEAR})


@pytest.mark.parametrize(
    ("shape", "adapter", "trainable"),
    [
        ("mistral-7b-v0.1", lora(8, "q_proj", "v_proj"), 3_407_872),
        ("mistral-7b-v0.1", lora(8), 20_971_520),
        ("llama-2-7b-chat", lora(16), 39_976_960),
        ("falcon-rw-1b", lora(16, "query_key_value"), 3_145_728),
    ],
)
def test_the_seed_systems_count_as_published(shape: str, adapter: Adapter, trainable: int) -> None:
    assert counts.count(SHAPES / f"{shape}.json", adapter).trainable == trainable


def test_falcon_has_both_percentages_and_the_packed_one_is_the_published() -> None:
    counted = counts.count(SHAPES / "falcon-rw-1b.json", lora(16, "query_key_value"))
    assert round(counted.percent_packed_4bit, 4) == 0.4426
    assert round(counted.percent, 3) == 0.239


@pytest.mark.parametrize("layout", LAYOUTS)
def test_counts_equal_what_peft_trains(layout: str, tiny_bases: Callable[[str], Path]) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny_bases(layout))
    names = architectures.targets(model.config.to_dict(), lora(4))
    adapted = get_peft_model(model, LoraConfig(r=4, target_modules=names, fan_in_fan_out=layout == "gpt2"))
    counted = counts.count(tiny_bases(layout), lora(4))
    assert (counted.trainable, counted.total) == adapted.get_nb_trainable_parameters()


def test_all_weights_count_once_where_embeddings_are_tied(tiny_bases: Callable[[str], Path]) -> None:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny_bases("gemma"))
    counted = counts.count(tiny_bases("gemma"), "none")
    assert counted.trainable == counted.total == sum(weight.numel() for weight in model.parameters())


def test_a_name_that_matches_nothing_is_refused_with_the_nearest(scratch_base: Path) -> None:
    with pytest.raises(UsageError, match=r"'q_porj' matches no linear layer.*did you mean 'q_proj'"):
        counts.count(scratch_base, lora(4, "q_porj"))
    with pytest.raises(UsageError, match="matches no linear layer"):
        counts.count(scratch_base, lora(4, "cross_attn.q_proj"))


def test_a_path_into_the_block_narrows_the_match(tiny_bases: Callable[[str], Path]) -> None:
    both = counts.count(tiny_bases("gpt2"), lora(4, "c_proj")).trainable
    parts = [counts.count(tiny_bases("gpt2"), lora(4, f"{part}.c_proj")).trainable for part in ("attn", "mlp")]
    assert both == sum(parts)
    assert min(parts) > 0


@pytest.mark.parametrize(
    ("content", "error", "word"),
    [
        ("{", CorruptError, "not JSON"),
        ("[]", CorruptError, "model_type"),
        ('{"model_type": "llama", "architectures": ["BertModel"]}', UsageError, "BertModel is not one"),
        ('{"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": "x"}', CorruptError, "shape"),
    ],
)
def test_a_damaged_shape_is_named(content: str, error: type[Exception], word: str, tmp_path: Path) -> None:
    file = tmp_path / "shape.json"
    file.write_text(content)
    with pytest.raises(error, match=word):
        counts.count(file, lora(4))
    with pytest.raises(UsageError, match="cannot be read"):
        counts.count(tmp_path / "missing.json", lora(4))
