"""A step is done once, done again when what it was made from changed, and never taken for whole when it is not."""

import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from build_tools.manifest import FILE_NAME, check_outputs, read_record
from build_tools.pipeline import environment, step
from build_tools.pipeline.step import Artefact, Outcome, Step, perform
from build_tools.pipeline.verify import verify
from medlora_edge.errors import ResourceError
from tests.build_tools.pipeline import hand_made

ROOT = Path(__file__).parents[3]
SLOW = "0.01"
LIMIT = 1 << 16  # bytes


def make_nothing(folder: Path) -> Outcome:
    folder.mkdir()
    return Outcome()


def test_what_is_done_is_skipped_and_said_so(tmp_path: Path, recipe_folder: Path) -> None:
    said: list[str] = []
    first = hand_made.run(tmp_path / "run", recipe_folder)
    again = hand_made.run(tmp_path / "run", recipe_folder, say=said.append)
    assert again == first
    assert said == [f"{name}: unchanged, skipped" for name in hand_made.STEPS]
    assert first[2].parents == ("data/chat", "train/chat")
    assert first[0].hardware.cores >= 1
    assert "torch" not in first[0].versions


def test_a_changed_input_redoes_what_follows_from_it(tmp_path: Path, recipe_folder: Path) -> None:
    hand_made.run(tmp_path / "run", recipe_folder)
    (recipe_folder / "data.jsonl").write_text("other\n")
    said: list[str] = []
    records = hand_made.run(tmp_path / "run", recipe_folder, say=said.append)
    assert [line for line in said if "anew" in line] == [
        "data/chat: done anew, because data:data.jsonl changed",
        "train/chat: done anew, because data/chat changed",
        "merged/chat-full: done anew, because data/chat, train/chat/adapter changed",
    ]
    assert records[1].facts == {"resumed": 0}, "checkpoints of other data were taken"


@pytest.mark.parametrize("name", ["data/chat/part-03", "train/chat/adapter/weights.bin"])
def test_a_damaged_output_is_made_again(tmp_path: Path, recipe_folder: Path, name: str) -> None:
    hand_made.run(tmp_path / "run", recipe_folder)
    damaged = tmp_path / "run" / name
    sound = damaged.read_bytes()
    damaged.write_bytes(sound[:-1])
    said: list[str] = []
    hand_made.run(tmp_path / "run", recipe_folder, say=said.append)
    assert damaged.read_bytes() == sound
    assert sum(str(damaged) in line for line in said) == 1
    assert verify(tmp_path / "run")


def test_another_part_of_the_recipe_or_another_version_redoes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Artefact("data:x", tmp_path, "0")
    said: list[str] = []
    perform(Step("a", make_nothing, (source,), {"rank": 4}, 0), tmp_path, said.append)
    perform(Step("a", make_nothing, (source,), {"rank": 8}, 0), tmp_path, said.append)
    for version in ("2", "3"):
        monkeypatch.setattr(environment, "versions", lambda _, found=version: {"torch": found})
        perform(Step("a", make_nothing, (source,), {"rank": 8}, 0), tmp_path, said.append)
    assert [line for line in said if "because" in line] == [
        "a: done anew, because the recipe changed",
        "a: done anew, because torch (None to 2) changed",
        "a: done anew, because torch (2 to 3) changed",
    ]


def test_another_python_or_another_version_of_this_program_is_no_reason(
    tmp_path: Path, recipe_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = hand_made.run(tmp_path / "run", recipe_folder)
    monkeypatch.setattr(environment, "program", lambda: {"python": "3.99.0", "medlora-edge": "99"})
    assert hand_made.run(tmp_path / "run", recipe_folder) == first
    assert {"python", "medlora-edge"} <= first[1].versions.keys()


def test_what_was_trained_is_set_aside_before_it_is_trained_anew(tmp_path: Path, recipe_folder: Path) -> None:
    run, said = tmp_path / "run", list[str]()
    hand_made.run(run, recipe_folder)
    trained = {path.name: path.read_bytes() for path in (run / "train/chat").rglob("*") if path.is_file()}
    for number in ("1", "2"):
        (recipe_folder / "data.jsonl").write_text(f"other {number}\n")
        hand_made.run(run, recipe_folder, say=said.append)
    kept = run / step.EARLIER / "train/chat"
    assert {path.name: path.read_bytes() for path in (kept / "1").rglob("*") if path.is_file()} == trained
    assert [line for line in said if str(kept) in line] == [
        f"train/chat: what it made before lies in {kept / number}; remove it when it is of no more use"
        for number in ("1", "2")
    ]
    assert verify(run) == sum(len(record.outputs) for record in hand_made.run(run, recipe_folder)) + 1


def test_checkpoints_of_an_unfinished_training_are_set_aside_too(tmp_path: Path, recipe_folder: Path) -> None:
    hand_made.run(tmp_path / "run", recipe_folder)
    place = tmp_path / "run" / "train" / "chat"
    (place / FILE_NAME).unlink()
    (place / step.BEGUN).write_text("another key")
    hand_made.run(tmp_path / "run", recipe_folder)
    assert len(list((tmp_path / "run" / step.EARLIER / "train/chat/1/checkpoints").iterdir())) == hand_made.FILES


def test_killed_anywhere_nothing_half_written_is_taken_for_whole(tmp_path: Path, recipe_folder: Path) -> None:
    """Kill -9 at random points; what has a record is whole, and the next run ends as an undisturbed one does."""
    folder, chance = tmp_path / "run", random.Random(1)
    command = [sys.executable, "-m", hand_made.__name__, str(folder), str(recipe_folder), SLOW]
    for _ in range(8):
        process = subprocess.Popen(command, cwd=ROOT)
        while process.poll() is None and not folder.exists():
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.25))
        process.send_signal(signal.SIGKILL)
        process.wait()
        for name in hand_made.STEPS:
            if (folder / name / FILE_NAME).exists():
                check_outputs(folder / name, read_record(folder / name))
    resumed = hand_made.run(folder, recipe_folder)
    undisturbed = hand_made.run(tmp_path / "other", recipe_folder)
    assert [record.outputs for record in resumed] == [record.outputs for record in undisturbed]
    assert verify(folder) == verify(tmp_path / "other")


def test_a_resumed_training_goes_on_from_its_checkpoints(tmp_path: Path, recipe_folder: Path) -> None:
    first = hand_made.run(tmp_path / "run", recipe_folder)[1]
    place = tmp_path / "run" / "train" / "chat"
    (place / FILE_NAME).unlink()
    (place / step.BEGUN).write_text(first.key)
    assert hand_made.run(tmp_path / "run", recipe_folder)[1].facts == {"resumed": hand_made.FILES}


def write_bytes(folder: Path) -> Outcome:
    folder.mkdir()
    (folder / "big").write_bytes(bytes(LIMIT + 1))
    return Outcome()


def write_tensors(folder: Path) -> Outcome:
    folder.mkdir()
    save_file({"a": np.zeros(LIMIT, np.uint8)}, folder / "model.safetensors")
    return Outcome()


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file can grow past the limit: the kernel refuses as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize("work", [write_bytes, write_tensors])
def test_a_disk_that_refuses_is_named_and_leaves_no_record(tmp_path: Path, work: Callable[[Path], Outcome]) -> None:
    with pytest.raises(ResourceError, match=r"step a: .*File too large") as full:
        perform(Step("a", work, (), None, 0), tmp_path, step.silent)
    assert full.value.code == 4
    assert not (tmp_path / "a" / FILE_NAME).exists()


def test_what_a_gate_rejected_or_a_killed_process_left_is_swept_away(tmp_path: Path) -> None:
    (tmp_path / ".a.partial").mkdir()
    (tmp_path / "a.rejected").mkdir()
    (tmp_path / "a.rejected" / "model").touch()
    (tmp_path / "a.rejected.json").touch()
    perform(Step("a", make_nothing, (), None, 0), tmp_path, step.silent)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
