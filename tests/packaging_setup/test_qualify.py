"""Each check of an installation qualification can fail, says why, and fails nothing else."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from medlora_setup import installed_program, qualify
from medlora_setup.errors import Code, SetupError
from medlora_setup.network_proof import Isolation
from tests.packaging_setup import qualified
from tests.packaging_setup.laptop import Laptop
from tests.packaging_setup.qualified import EXPECTED, MODEL_SHA256, answers, install

WHERE = "Works without a network"


@pytest.fixture(autouse=True)
def stays_in_its_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's own process must not leave its network for good."""
    monkeypatch.setattr(qualify, "leave_network", lambda: Isolation(inside=False, why_not="not in a test"))


def test_a_program_in_order_passes_all_that_could_be_checked(laptop: Laptop) -> None:
    install(laptop)
    done = qualified.run(laptop)
    assert done.named("not possible here") == {WHERE}
    assert done.filed.qualification.verdict == (
        "Passed as far as it could be checked: 9 of 10 checks passed, 1 not possible here"
    )
    assert done.check("Self-test of starter").found == "All 5 tokens equal the record, variant haswell."
    assert done.check("Memory for starter").found == "starter needs 500 MiB; 900 MiB are free."
    assert "not in a test" in done.check(WHERE).found
    assert ("Decode, each question", "not measured") in done.filed.qualification.bench


def test_the_record_is_what_the_page_was_made_of(laptop: Laptop) -> None:
    install(laptop)
    filed = qualified.run(laptop).filed
    record = json.loads(filed.record.read_bytes())
    assert record["passed"] is True
    assert [check["outcome"] for check in record["checks"]].count("passed") == 9
    assert record["identity"][2][0] == "Manifest, SHA-256"
    assert filed.record.stem == filed.page.stem
    assert filed.record.name.startswith("medlora-edge-0.1.0-5-qualification-2")


def change(*path: str | int, to: object) -> Callable[[dict[str, Any]], None]:
    def apply(told: dict[str, Any]) -> None:
        place: Any = told
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = to

    return apply


@pytest.mark.parametrize(
    ("changed", "check", "words"),
    [
        (change("self-test", "answers", 1, "tokens", to=[8, 7]), "Self-test of starter", "prompt 2 differs from the"),
        (change("self-test", "answers", 0, "tokens", to=[5, 6]), "Self-test of starter", "after 2 equal tokens of 3"),
        (change("self-test", "answers", 0, "tokens", to=[5, 6, 7, 1]), "Self-test of starter", "after 3 equal tokens"),
        (change("self-test", "answers", to=[]), "Self-test of starter", "other prompts"),
        (change("self-test", "model", "sha256", to="00"), "Self-test of starter", "another file: SHA-256 00"),
        (change("self-test", "memory", "available_bytes", to=1 << 20), "Memory for starter", "1 MiB are free"),
        (change("bench", "engine_failed", to=["7"]), "Bench sample", "1 failed in the engine"),
        (change("bench", "finished", to=False), "Bench sample", "25 questions"),
        (change("bench", "metrics", to=None), "Bench sample", "not of the form known here"),
        (change("ask", "timings", "generated_tokens", to=0), "Answer", "0 tokens"),
        (change("ask", to=[]), "Answer", "did not say why"),
        (change("doctor", "versions", to={}), "Program", "'medlora-edge'"),
    ],
)
def test_a_wrong_answer_fails_its_check_alone(
    changed: Callable[[dict[str, Any]], None], check: str, words: str, laptop: Laptop
) -> None:
    told = answers()
    changed(told)
    install(laptop, told)
    done = qualified.run(laptop)
    assert done.named("failed") == {check}
    assert words in done.check(check).found
    assert done.filed.qualification.verdict.startswith("Failed: 8 of 10 checks passed, 1 failed")


@pytest.mark.parametrize(
    ("command", "end", "check", "words"),
    [
        ("doctor", "echo 'PROBLEM: no models' >&2; exit 1", "Program", "ended with code 1: PROBLEM: no models"),
        ("self-test", "case $MEDLORA_HOME in *qualify-*) exit 7;; esac", "Self-test of starter", "ended with code 7"),
        ("bench", "kill -ILL $$", "Bench sample", "ended by signal 4"),
        ("ask", "echo more", "Answer", "ended with code 0: it did not say why"),
    ],
)
def test_a_program_that_ends_badly_fails_its_check(
    command: str, end: str, check: str, words: str, laptop: Laptop
) -> None:
    install(laptop, ends={command: end})
    done = qualified.run(laptop)
    assert done.named("failed") == {check}
    assert words in done.check(check).found


def test_a_program_that_hangs_is_ended(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    install(laptop, ends={"doctor": "exec sleep 600"})
    monkeypatch.setattr(installed_program, "LONGEST_SECONDS", 0.0)
    assert qualified.run(laptop).check("Program").found == "The program did not end within 0 hours."


@pytest.mark.parametrize(
    ("variant", "words"),
    [
        ("zen4", "for variant zen4: the build machine's processor cannot run it. It gave the same tokens as recorded"),
        ("sse9", "for variant sse9: it is not named in the record"),
    ],
)
def test_a_variant_without_a_record_passes_nothing(variant: str, words: str, laptop: Laptop) -> None:
    told = answers()
    told["self-test"]["engine"]["variant"] = variant
    install(laptop, told)
    done = qualified.run(laptop)
    assert done.named("not possible here") == {WHERE, "Self-test of starter"}
    assert words in done.check("Self-test of starter").found
    assert not done.filed.qualification.failed


def test_tokens_are_compared_with_those_of_the_variant_in_use(laptop: Laptop) -> None:
    told = answers()
    told["self-test"]["engine"]["variant"] = "x64"
    install(laptop, told)
    assert "Variant x64: prompt 2 differs" in qualified.run(laptop).check("Self-test of starter").found


def test_files_that_changed_are_named(laptop: Laptop) -> None:
    install(laptop)
    version = laptop.layout.version("0.1.0-5")
    (version / "app" / "answers" / "ask.json").write_text("{}")
    (version / "app" / "planted.py").touch()
    done = qualified.run(laptop)
    found = done.check("Installed files").found
    assert "app/answers/ask.json: it has 2 bytes" in found
    assert "app/planted.py" in found
    assert done.named("failed") == {"Installed files", "Answer"}


def test_an_edited_record_of_tokens_is_not_compared_with(laptop: Laptop) -> None:
    install(laptop)
    (laptop.layout.version("0.1.0-5") / "expected_tokens.json").write_text("{}")
    done = qualified.run(laptop)
    assert "expected_tokens.json is not the file that was signed" in done.check("Self-test").found
    assert done.named("failed") == {"Self-test", "Installed files"}


def test_a_manifest_that_another_key_signed_fails(laptop: Laptop) -> None:
    install(laptop)
    signature = laptop.layout.version("0.1.0-5") / "manifest.json.minisig"
    signature.write_text(signature.read_text().replace("serial:5", "serial:6"))
    assert "trusted comment has been edited" in qualified.run(laptop).check("Signature").found


TOO_FEW = {"name": "x", "sha256": MODEL_SHA256, "answers": {"x": [[1]]}, "not_recorded": {}}


@pytest.mark.parametrize("expected", [[], {"prompts": [], "models": [{}]}, {**EXPECTED, "models": [TOO_FEW]}])
def test_a_malformed_record_of_tokens_is_a_failed_check(expected: object, laptop: Laptop) -> None:
    install(laptop, expected=expected)
    assert "record of expected tokens cannot be used" in qualified.run(laptop).check("Self-test").found


def test_nothing_to_qualify_is_said(laptop: Laptop) -> None:
    with pytest.raises(SetupError) as refused:
        qualified.run(laptop)
    assert refused.value.code == Code.USAGE
    assert not list(laptop.folder.glob("*.html"))


def test_the_program_finds_no_settings_or_chats_of_the_user(laptop: Laptop) -> None:
    install(laptop, ends={"doctor": 'case $MEDLORA_HOME in *qualify-*) ;; *) exit 1 ;; esac; touch "$MEDLORA_HOME/x"'})
    laptop.keep_chats(b"chats")
    assert "Program" in qualified.run(laptop).named("passed")
    assert laptop.chats() == b"chats"
