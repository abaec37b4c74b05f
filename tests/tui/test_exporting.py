"""What is written to a file: a chat with what each turn was asked with, a copy; nothing is ever replaced."""

from dataclasses import replace
from errno import ENOSPC
from pathlib import Path

import pytest

from medlora_edge import history, paths
from medlora_edge.engine.protocol import Sampling
from medlora_edge.errors import MedloraError, ResourceError, UsageError
from medlora_edge.models import Adapter
from medlora_edge.notice import DEMONSTRATION, NOTICE
from medlora_edge.tui.keeping import exporting
from medlora_edge.tui.keeping.asked_with import asked_with, to_export
from medlora_edge.tui.keeping.keeper import Keeper
from medlora_edge.tui.session.conversation import sampling
from tests.tui.apps import a_model
from tests.tui.turns import answered, question


def test_settings_of_a_question_and_the_seed_of_its_turn() -> None:
    model = a_model()
    shown = replace(model, manifest=model.manifest.model_copy(update={"demonstration": True}))
    settings = asked_with(shown, window=4096)
    assert settings["Warning"] == DEMONSTRATION
    assert (settings["Quantisation"], settings["Context tokens"], settings["Temperature"]) == ("Q3_K_L", 4096, 0.2)
    assert not {"Warning", "Context tokens"} & set(asked_with(model))
    turn = answered(7, settings=settings)
    assert to_export(turn) == {**settings, "Seed": sampling(turn).seed}
    assert sampling(turn) == Sampling(seed=7)


def test_a_verdict_is_exported_with_where_it_comes_from_and_what_the_answer_makes_of_it() -> None:
    settings = asked_with(a_model(), task="pubmedqa")
    assert "likeliest" in str(settings["Verdict is"])
    assert "Verdict is" not in asked_with(a_model())
    agrees = answered(7, name="pubmedqa", answer="yes. It does.", label="yes")
    assert "Verdict and answer" not in to_export(agrees)
    assert "says no" in str(to_export(replace(agrees, answer="No."))["Verdict and answer"])


def test_an_adapter_is_named_with_its_hash() -> None:
    adapter = Adapter(name="heart", path=Path("heart.gguf"), sha256="cd" * 32, size_bytes=1)
    assert asked_with(a_model(), adapter)["Adapter"] == f"heart, SHA-256 {'cd' * 32}"


def test_a_chat_that_is_opened_again_is_exported_with_what_each_turn_was_asked_with() -> None:
    troubles: list[MedloraError] = []
    with history.private() as store:
        keeper = Keeper(store, troubles.append)
        with pytest.raises(UsageError, match="nothing to export"):
            exporting.export(keeper)
        for model, sha256, quantisation in (("first", "ab", "Q3_K_L"), ("second", "cd", "F16")):
            keeper.begin(
                "ask",
                question("What is sepsis?"),
                model=model,
                sha256=sha256 * 32,
                settings={"Warning": DEMONSTRATION, "Quantisation": quantisation},
            )
        later = Keeper(store, troubles.append)
        later.chat = keeper.chat
        text = exporting.export(later).read_text()
    for model, sha256, quantisation, seed in (("first", "ab", "Q3_K_L", 1), ("second", "cd", "F16", 2)):
        facts = f"- Model: {model}\n- Model SHA-256: {sha256 * 32}\n- Prompts SHA-256: "
        assert facts in text
        assert f"- Warning: {DEMONSTRATION}\n- Quantisation: {quantisation}\n- Seed: {seed}\n" in text
    assert NOTICE in text
    assert troubles == []


def test_a_copy_is_a_file_of_its_own_each_time_for_the_owner_alone() -> None:
    files = [exporting.write_copy(text) for text in ("one\x1b[2J", "two")]
    assert [file.read_text() for file in files] == ["one[2J\n", "two\n"]
    assert {file.parent for file in files} == {paths.data_dir() / "exports"}
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_a_disk_that_is_full_is_told_and_the_folder_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: Path, content: bytes) -> None:
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(exporting, "write_atomic", full)
    with pytest.raises(ResourceError, match="No space left") as raised:
        exporting.write_copy("text")
    assert raised.value.where == str(paths.data_dir() / "exports")


def test_prompts_version_and_state_are_of_the_turn() -> None:
    text = history.markdown(
        history.private().new_chat("starter", "ab"), [replace(answered(1), prompts_sha256="ef" * 32)], notice=NOTICE
    )
    assert f"- Prompts SHA-256: {'ef' * 32}" in text
