"""Keys that cannot be meant together are refused, and the refusal names both."""

from pathlib import Path

import pytest

from tests.build_tools.recipe.writing import GOOD, changed, problems, write

SCRATCH = (
    "  scratch: {hidden: 256, layers: 2, heads: 4, kv_heads: 2, feed_forward: 512, vocabulary: 1024, context: 256}"
)
LORA = "adapter: {rank: 8, alpha: 16, target_modules: [q_proj, v_proj]}"

CONTRADICTIONS = [
    ([("[q_proj, v_proj]", "[all-linear, q_proj]")], ("all-linear", "q_proj")),
    ([("[q_proj, v_proj]", "[all-linear]")], ("all-linear stands alone",)),
    ([("[q_proj, v_proj]", "[q_proj, lm_head]")], ("lm_head takes no adapter",)),
    ([("[q_proj, v_proj]", "[q_proj, q_proj]")], ("listed twice",)),
    ([("rank: 8", "rank: 8, lora_target_linear: true")], ("lora_target_linear and target_modules together",)),
    ([("steps: 20", "steps: 20\n    fp16: true\n    bf16: true")], ("fp16 and bf16 together",)),
    ([("steps: 20", "steps: 20\n    train_on_inputs: false")], ("train_on_inputs", "kind: completion")),
    ([("packing: true", "packing: true\n    sample_packing: true")], ("sample_packing and packing",)),
    ([("steps: 20", "steps: 20\n    warmup_steps: 1\n    warmup_ratio: 0.1")], ("warmup_steps and warmup_ratio",)),
    ([("warmup_steps: 5", "warmup_steps: 5\n      warmup_ratio: 0.1")], ("warmup_steps and warmup_ratio",)),
    ([("steps: 20", "steps: 20\n    schedule: {warmup_steps: 20}")], ("warmup_steps 20", "steps 20")),
    ([("steps: 20", "steps: 20\n    epochs: 1")], ("steps and epochs; both",)),
    ([("    steps: 20\n", "")], ("steps and epochs; none",)),
    ([("    previous: merge\n", "")], ("previous is missing",)),
    ([("name: text", "name: text\n    previous: merge")], ("previous is for the second stage",)),
    ([("name: answers", "name: text")], ("stages[0].name is text too",)),
    ([(LORA, "adapter: none\n    load_bits: 32")], ("adapter: none", "base.scratch")),
    ([(LORA, "adapter: none\n    load_bits: 4"), ("folder: base", SCRATCH.strip())], ("load_bits: 4", "adapter: none")),
    ([(LORA, "adapter: none"), ("folder: base", SCRATCH.strip())], ("load_bits: 4", "adapter: none")),
    (
        [
            (LORA, "adapter: none\n    load_bits: 32"),
            ("folder: base", SCRATCH.strip()),
            ("previous: merge", "previous: stack"),
        ],
        ("previous: stack", "adapter: none"),
    ),
    ([("  folder: base\n", "")], ("exactly one of folder, hub, scratch", "none is given")),
    ([("folder: base", f"folder: base\n{SCRATCH}")], ("folder and scratch are given",)),
    ([("folder: base", "hub: a/b")], ("hub needs revision",)),
    ([("folder: base", f"folder: base\n  revision: {'a1' * 20}")], ("revision goes with hub",)),
    ([("folder: base", f"shape: notes.txt\n{SCRATCH}")], ("shape and scratch",)),
    ([("folder: base", SCRATCH.strip().replace("heads: 4", "heads: 3"))], ("heads 3 does not divide hidden 256",)),
    ([("folder: base", SCRATCH.strip().replace("kv_heads: 2", "kv_heads: 3"))], ("kv_heads 3", "heads 4")),
    (
        [("folder: base", SCRATCH.strip().replace("256}", "128}")), ("128\n  - name", "192\n  - name")],
        ("max_length 192", "context 128"),
    ),
    ([("packing: true", "packing: true\nexport: {type: none}")], ("type: none needs reason",)),
    ([("packing: true", "packing: true\nexport: {reason: why not}")], ("reason goes with type: none",)),
]


@pytest.mark.parametrize(("replacements", "words"), CONTRADICTIONS, ids=[words[0] for _, words in CONTRADICTIONS])
def test_both_keys_are_named(replacements: list[tuple[str, str]], words: tuple[str, ...], tmp_path: Path) -> None:
    found = problems(changed(tmp_path, *replacements))
    assert any(all(word in problem for word in words) for problem in found), "\n".join(found)


def test_a_recipe_that_ships_has_something_to_compare(tmp_path: Path) -> None:
    first = GOOD[: GOOD.index("  - name: answers")].replace("folder: base", SCRATCH.strip())
    alone = first.replace(LORA, "adapter: none\n    load_bits: 32")
    (problem,) = problems(write(tmp_path, alone))
    assert ":11: stages[0].adapter: adapter: none in every stage leaves the gates nothing to compare" in problem
    assert problems(write(tmp_path, f"{alone}export: {{type: none, reason: to train on}}\n")) == ()


def test_a_chat_stage_trains_no_full_weights(tmp_path: Path) -> None:
    adapter = GOOD[GOOD.rindex("    adapter:\n") : GOOD.rindex("    optimiser")]
    found = problems(write(tmp_path, GOOD.replace(adapter, "    adapter: none\n    load_bits: 32\n")))
    assert any("adapter: none is for kind: completion, not for kind: chat" in problem for problem in found)
    assert any("adapter: none trains all weights" in problem for problem in found)


def test_a_scratch_base_begins_with_text(tmp_path: Path) -> None:
    first = GOOD[GOOD.index("  - name: text") : GOOD.index("  - name: answers")]
    text = GOOD.replace(first, "").replace("    previous: merge\n", "").replace("folder: base", SCRATCH.strip())
    (problem,) = problems(write(tmp_path, text))
    assert "kind: chat cannot come first on base.scratch" in problem


def test_parts_of_the_wrong_shape_are_told_of_without_a_crash(tmp_path: Path) -> None:
    for text in ("base: 3\nstages: 4\n", "base: []\nstages: [1, null, []]\nexport: x\n", "stages: [{adapter: [1]}]\n"):
        assert problems(write(tmp_path, text))


@pytest.mark.parametrize(
    ("file", "more", "words"),
    [
        ("questions.json", "share: 0.5", "every source has a share"),
        ("questions.json", "held_out: 0.1", "held_out: stages[0] reads this file with other keys"),
        ("./questions.json", "held_out: 0.1", "held_out: stages[0] reads this file with other keys"),
        ("./questions.json", "sha256: x", "stages[0] reads this file too, and may hold out other"),
    ],
)
def test_sources_of_two_stages_agree(file: str, more: str, words: str, tmp_path: Path) -> None:
    plain = f"{{format: pubmedqa, file: {file}, licence: MIT}}"
    text = GOOD.replace("{format: text, files: [notes.txt], licence: MIT}", plain)
    found = problems(write(tmp_path, text.replace(plain, plain.replace("licence", f"{more}, licence"), 1)))
    assert any(words in problem for problem in found), "\n".join(found)


def test_records_of_two_files_of_one_name_would_be_mistaken_for_each_other(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("{}")
    files = "files: [notes.txt, ./notes.txt, other/notes.txt]"
    (problem,) = problems(write(tmp_path, GOOD.replace("files: [notes.txt]", files)))
    assert ":10: stages[0].data[0]: other/notes.txt: another file of this stage is called notes.txt too" in problem


def test_shares_leave_room_and_hashes_are_one_a_file(tmp_path: Path) -> None:
    digest = "a" * 64
    plain = "{format: text, files: [notes.txt], licence: MIT}"
    half = "{format: text, files: [notes.txt], share: 0.5, licence: MIT}"
    (room,) = problems(write(tmp_path, GOOD.replace(plain, f"{plain}\n      - {half}\n      - {half}")))
    assert "the shares add up to 1" in room
    hashed = plain.replace("licence", f"sha256: [{digest}, {digest}], licence")
    (count,) = problems(write(tmp_path, GOOD.replace(plain, hashed)))
    assert "data[0].sha256: 2 hashes for 1 files" in count


def test_a_folder_of_test_sets_that_is_not_there_is_named(tmp_path: Path) -> None:
    (problem,) = problems(write(tmp_path, GOOD.replace("steps: 20", "steps: 20\n    test_sets: nowhere")))
    assert "no such folder: nowhere" in problem
