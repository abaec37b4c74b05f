"""The preflight says at minute 0 what would end a run hours later; a sound recipe passes without a word."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from build_tools.preflight import check as module
from build_tools.preflight.check import check
from build_tools.preflight.problem import Problem
from build_tools.preflight.report import CheckReport, require
from build_tools.recipe.schema import Recipe
from medlora_edge.errors import ExitCode, MedloraError
from tests.build_tools.preflight.stages import CHAT, COMPLETION, recipe

SHAPES = Path(module.__file__).parents[1] / "shapes"
PLACE = Path()


def said(report: CheckReport, severity: str = "error") -> str:
    return "\n".join(f"{found.what} | {found.where}" for found in report.problems if found.severity == severity)


@pytest.fixture
def changed(scratch_base: Path, tmp_path: Path) -> Callable[..., Path]:
    """A copy of the tiny base with values of its config.json changed; None removes one."""

    def make(base: Path = scratch_base, **values: Any) -> Path:
        folder = tmp_path / "changed"
        shutil.copytree(base, folder)
        config = json.loads((folder / "config.json").read_text()) | values
        (folder / "config.json").write_text(json.dumps({k: v for k, v in config.items() if v is not None}))
        return folder

    return make


@pytest.mark.parametrize("layout", ["llama", "mistral", "qwen2", "gemma"])
def test_a_sound_base_passes(layout: str, tiny_bases: Callable[[str], Path]) -> None:
    report = check(recipe(tiny_bases(layout)), PLACE)
    assert said(report) == ""
    assert (report.exit_code, report.not_checked) == (ExitCode.DONE, ())
    assert report.stages[0].counts.trainable == 65_536
    assert require(report) is report


def test_a_base_from_scratch_passes_before_it_exists() -> None:
    scratch = {"hidden": 256, "layers": 2, "heads": 4, "kv_heads": 2, "feed_forward": 512, "vocabulary": 1024}
    report = check(recipe({"scratch": scratch | {"context": 512}}, COMPLETION | {"adapter": "none"}), PLACE)
    assert said(report) == ""
    assert report.stages[0].counts.percent == 100


def test_a_shape_alone_is_enough_and_says_what_was_not_checked() -> None:
    base = {"hub": "mistralai/Mistral-7B-v0.1", "shape": SHAPES / "mistral-7b-v0.1.json"}
    report = check(recipe(base, CHAT | {"max_length": 8192, "batch": {"micro": 8}}), PLACE)
    assert report.errors == ()
    assert "above 4096 tokens it differs" in said(report, "warning")
    assert len(report.not_checked) == 2
    assert report.not_checked[0].startswith("not checked: vocabulary size")


def test_a_hub_id_that_was_not_fetched_names_the_command() -> None:
    report = check(recipe({"hub": "owner/name"}), PLACE)
    assert report.exit_code == ExitCode.USAGE
    assert "owner/name is not on this machine" in said(report)
    assert "medlora-build fetch" in str(report.errors[0].fix)


def test_falcon_rw_is_refused_for_its_positions(tiny_bases: Callable[[str], Path]) -> None:
    assert "ALiBi" in said(check(recipe(tiny_bases("falcon-rw")), PLACE))


def test_what_only_hinders_the_export_is_a_note_where_none_is_wanted(tiny_bases: Callable[[str], Path]) -> None:
    report = check(recipe(tiny_bases("falcon-rw"), export={"type": "none", "reason": "ALiBi"}), PLACE)
    assert report.errors == ()
    assert "ALiBi" in said(report, "note")


@pytest.mark.parametrize("layout", ["gpt2", "falcon"])
def test_a_byte_pair_tokenizer_that_the_converter_does_not_know(layout: str, tiny_bases: Callable[[str], Path]) -> None:
    report = check(recipe(tiny_bases(layout)), PLACE)
    assert "does not know this byte-pair tokenizer" in said(report)
    assert report.exit_code == ExitCode.CORRUPT


def test_gpt2_without_its_context_length(tiny_bases: Callable[[str], Path], changed: Callable[..., Path]) -> None:
    assert "`n_ctx`, which is missing" in said(check(recipe(changed(tiny_bases("gpt2"), n_ctx=None)), PLACE))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"hidden_act": "relu"}, "silu in this architecture, not relu"),
        (
            {"rope_parameters": {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0}},
            "positions of type 'dynamic'",
        ),
        ({"vocab_size": 512}, "the tokenizer has 1024 tokens, the model rows for 512"),
        ({"architectures": ["BertModel"]}, "BertModel is not one that can be trained"),
        ({"num_attention_heads": 0}, "cannot build this shape"),
    ],
)
def test_a_shape_that_would_convert_into_another_model(
    values: dict[str, Any], words: str, changed: Callable[..., Path]
) -> None:
    assert words in said(check(recipe(changed(**values)), PLACE))


@pytest.mark.parametrize(
    ("layout", "key", "value"),
    [("llama", "vocab_size", None), ("llama", "hidden_size", "64"), ("gpt2", "n_layer", None)],
)
def test_a_configuration_without_a_size_is_named(
    layout: str, key: str, value: str | None, tiny_bases: Callable[[str], Path], changed: Callable[..., Path]
) -> None:
    folder = changed(tiny_bases(layout), **{key: value})
    (problem,) = check(recipe(folder), PLACE).errors
    assert f"`{key}`" in problem.what and "missing" in problem.what
    assert (problem.where, problem.exit_code) == (str(folder / "config.json"), ExitCode.CORRUPT)


@pytest.mark.parametrize(
    ("file", "content", "place"),
    [
        ("tokenizer.json", '{"model": null}', "model"),
        ("tokenizer.json", '{"model": {}, "added_tokens": null}', "added_tokens"),
        ("tokenizer.json", '{"model": {}, "added_tokens": [{"content": "a"}]}', "added_tokens.0.id"),
        ("tokenizer_config.json", '{"added_tokens_decoder": {"4": {}}}', "added_tokens_decoder.4.content"),
    ],
)
def test_damaged_tokenizer_files_are_named_with_the_key(
    file: str, content: str, place: str, changed: Callable[..., Path]
) -> None:
    folder = changed()
    (folder / file).write_text(content)
    (problem,) = check(recipe(folder, COMPLETION), PLACE).errors
    assert problem.what.startswith(f"{place}: ")
    assert (problem.where, problem.exit_code) == (str(folder / file), ExitCode.CORRUPT)


def test_every_errors_advice_is_given() -> None:
    errors = (Problem(severity="error", what="what", fix=fix) for fix in (None, "do this", "do that", "do this"))
    warning = Problem(severity="warning", what="what", fix="leave it")
    with pytest.raises(MedloraError, match="what") as caught:
        require(CheckReport((), "cpu", 0, (*errors, warning), ()))
    assert caught.value.fix == "do this; do that"


def test_narrow_rows_are_named_with_their_width(changed: Callable[..., Path]) -> None:
    shape = changed(hidden_size=64, head_dim=16) / "config.json"
    report = check(recipe({"hub": "owner/name", "shape": shape}), PLACE)
    assert "model.layers.*.self_attn.q_proj: 64" in said(report)
    some = check(recipe({"hub": "owner/name", "shape": shape}, gates={"quantise": {"fallback_share": 1.0}}), PLACE)
    assert "model.layers.*.self_attn.q_proj: 64" in said(some, "warning")


def test_user_defined_chatml_tokens_must_be_declared(changed: Callable[..., Path]) -> None:
    from sentencepiece import sentencepiece_model_pb2

    folder = changed()
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString((folder / "tokenizer.model").read_bytes())
    model.pieces[4].type = 4
    (folder / "tokenizer.model").write_bytes(model.SerializeToString())
    assert said(check(recipe(folder), PLACE)) == ""
    config = json.loads((folder / "tokenizer_config.json").read_text())
    del config["added_tokens_decoder"]["4"]
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    assert "<|im_start|> is a user-defined piece that is not declared" in said(check(recipe(folder), PLACE))


@pytest.mark.parametrize(
    ("template", "words"),
    [("{{ oh no", "has an error in line 1"), ("{{ raise_exception('no chats') }}", "refuses this chat: no chats")],
)
def test_a_template_that_the_runtime_cannot_use(template: str, words: str, changed: Callable[..., Path]) -> None:
    folder = changed()
    (folder / "chat_template.jinja").write_text(template)
    assert words in said(check(recipe(folder), PLACE))
    assert said(check(recipe(folder, COMPLETION), PLACE)) == ""
    assert said(check(recipe({"folder": folder, "chat_template": "chatml"}), PLACE)) == ""


def test_a_stale_template_in_the_tokenizers_configuration(changed: Callable[..., Path]) -> None:
    folder = changed()
    config = json.loads((folder / "tokenizer_config.json").read_text()) | {"chat_template": "{{ messages }}"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    assert "another one than chat_template.jinja" in said(check(recipe(folder), PLACE))


def test_an_unknown_module_name_is_a_problem_of_its_stage(scratch_base: Path) -> None:
    stage = CHAT | {"adapter": {"rank": 8, "alpha": 16, "target_modules": ["query_key_value"]}}
    report = check(recipe(scratch_base, stage), PLACE)
    assert "'query_key_value' matches no linear layer" in said(report)
    assert "stages.0 (answers): target_modules" in said(report)


def test_too_little_memory_is_exit_4_with_ranked_numbers(scratch_base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "available_memory", lambda: 600 << 20)
    stage = CHAT | {"max_length": 512, "batch": {"micro": 8}}
    report = check(recipe(scratch_base, stage), PLACE)
    assert report.exit_code == ExitCode.RESOURCES
    assert "600.0 MiB free" in said(report)
    fix = str(report.errors[0].fix)
    changes = ("checkpoint_activations: true", "batch.micro: 4 with accumulation: 2", "max_length: 256")
    assert all(f"{change} (then " in fix for change in changes)
    needed = [float(number) for number in re.findall(r"then ([0-9.]+) MiB", fix)]
    assert needed == sorted(needed)
    with pytest.raises(MedloraError) as caught:
        require(report)
    assert caught.value.code == ExitCode.RESOURCES


def test_the_shipped_recipes_pass_without_weights() -> None:
    from build_tools.recipe import load

    folder = Path(module.__file__).parents[1] / "recipes"
    recipes: dict[str, Recipe] = {
        file.name: load(file, planned=True) for file in folder.glob("*.yaml") if "sweep" not in file.name
    }
    reports = {name: check(each, folder) for name, each in recipes.items()}
    assert {name: said(report) for name, report in reports.items()} == dict.fromkeys(recipes, "")
    assert "ALiBi" in said(reports["peft-medaware.yaml"], "note")


def test_importing_the_preflight_imports_no_torch() -> None:
    program = "import build_tools.preflight.check, build_tools.bases.fetch, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"
