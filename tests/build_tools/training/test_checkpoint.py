"""A checkpoint is whole or it is ignored, whatever is done to it [R9]."""

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from build_tools.training import checkpoint
from build_tools.training.train import train
from medlora_edge.errors import CorruptError, ResourceError
from tests.build_tools.training.conftest import Notes, rows, stage

KILLS = 25 if os.environ.get("MEDLORA_NIGHTLY") else 5


def write(folder: Path, step: int, content: bytes = b"weights") -> Path:
    with checkpoint.writing(folder, step, "ours") as place:
        (place / "weights").write_bytes(content)
        (place / "state.json").write_text("{}")
    return folder / checkpoint.name(step)


@pytest.fixture(scope="module")
def saved(scratch_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two steps that saved after each."""
    out = tmp_path_factory.mktemp("saved")
    train(stage(steps=2, save_every=1), rows(), base=scratch_base, adapters=(), out=out, seed=0, watcher=Notes())
    return out / "checkpoints"


@pytest.fixture
def damaged(saved: Path, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    return Path(shutil.copytree(saved, tmp_path / "checkpoints"))


def fingerprint(folder: Path) -> str:
    return str(json.loads((folder / checkpoint.name(2) / checkpoint.MARKER).read_text())["fingerprint"])


FILES = (
    "adapter_config.json",
    "adapter_model.safetensors",
    "complete.json",
    "monitor.json",
    "optimizer.pt",
    "rng_state.pth",
    "scheduler.pt",
    "trainer_state.json",
)


def test_a_real_checkpoint_holds_these_files_and_is_found(saved: Path) -> None:
    assert sorted(path.name for path in (saved / checkpoint.name(2)).iterdir()) == list(FILES)
    assert checkpoint.newest(saved, fingerprint(saved)) == checkpoint.Found(saved / checkpoint.name(2), ())


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_sends_training_back_to_the_checkpoint_before(damaged: Path, file: str) -> None:
    ours = fingerprint(damaged)
    (damaged / checkpoint.name(2) / file).unlink()
    found = checkpoint.newest(damaged, ours)
    assert found.path == damaged / checkpoint.name(1)
    assert len(found.skipped) == 1
    assert f"{checkpoint.name(2)}: {file} is missing" in found.skipped[0]


@pytest.mark.parametrize("file", FILES)
def test_a_flipped_byte_sends_training_back_to_the_checkpoint_before(damaged: Path, file: str) -> None:
    ours = fingerprint(damaged)
    path = damaged / checkpoint.name(2) / file
    content = bytearray(path.read_bytes())
    content[random.Random(file).randrange(len(content))] ^= 0x10
    path.write_bytes(content)
    found = checkpoint.newest(damaged, ours)
    assert found.path == damaged / checkpoint.name(1)
    assert file in found.skipped[0]


def test_strict_refuses_where_a_checkpoint_would_be_skipped(saved: Path, scratch_base: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(saved, tmp_path / "checkpoints"))
    (copied / checkpoint.name(2) / "optimizer.pt").unlink()
    what = stage(steps=2, save_every=1)
    with pytest.raises(CorruptError, match=r"step-00000002: optimizer\.pt is missing") as caught:
        train(what, rows(), base=scratch_base, adapters=(), out=tmp_path, seed=0, watcher=Notes(), strict=True)
    assert caught.value.code == 3
    notes = Notes()
    done = train(what, rows(), base=scratch_base, adapters=(), out=tmp_path, seed=0, watcher=notes)
    assert done.resumed_from == 1
    assert notes.messages == [
        "chat: skipped the checkpoint step-00000002: optimizer.pt is missing",
        "chat: goes on from step-00000001",
    ]


def test_a_saving_that_was_cut_off_is_named_and_swept_away_later(tmp_path: Path) -> None:
    whole = write(tmp_path, 1)
    (tmp_path / ".step-00000002").mkdir()
    assert checkpoint.newest(tmp_path, "ours") == checkpoint.Found(whole, (".step-00000002: saving it was cut off",))
    checkpoint.prune(tmp_path, None)
    assert checkpoint.newest(tmp_path, "ours").skipped == ()


def test_the_newest_two_and_the_best_are_kept(tmp_path: Path) -> None:
    for step in (1, 2, 3, 4, 5):
        write(tmp_path, step)
    checkpoint.prune(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [checkpoint.name(step) for step in (2, 4, 5)]


WRITER = """
    import sys
    from pathlib import Path
    from build_tools.training import checkpoint
    folder, step = Path(sys.argv[1]), 0
    while True:
        step += 1
        with checkpoint.writing(folder, step, "ours") as place:
            for part in range(4):
                (place / f"part{part}").write_bytes(bytes([step % 256]) * 200_000)
        checkpoint.prune(folder, None)
        print(step, flush=True)
"""


def test_a_kill_while_saving_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    moment = random.Random(7)
    for kill in range(KILLS):
        folder = tmp_path / str(kill)
        writer = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WRITER), str(folder)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout
        writer.stdout.readline()
        time.sleep(moment.random() * 0.1)
        writer.send_signal(signal.SIGKILL)
        told = [1, *(int(line) for line in writer.stdout.read().split())]
        writer.wait()
        found = checkpoint.newest(folder, "ours")
        assert found.path is not None
        assert checkpoint.step_of(found.path) in {told[-1], told[-1] + 1}
        assert all("cut off" in skipped for skipped in found.skipped)


@contextmanager
def full_disk(size_bytes: int) -> Iterator[None]:
    """No file may grow beyond this size."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_leaves_the_checkpoint_before_and_exits_4(saved: Path, scratch_base: Path, tmp_path: Path) -> None:
    shutil.copytree(saved / checkpoint.name(1), tmp_path / "checkpoints" / checkpoint.name(1))
    what = stage(steps=2, save_every=1)
    smallest = (saved / checkpoint.name(1) / "optimizer.pt").stat().st_size // 2
    with full_disk(smallest), pytest.raises(ResourceError, match="checkpoint of step 2") as caught:
        train(what, rows(), base=scratch_base, adapters=(), out=tmp_path, seed=0, watcher=Notes())
    assert caught.value.code == 4
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == [checkpoint.name(1)]
    assert train(what, rows(), base=scratch_base, adapters=(), out=tmp_path, seed=0, watcher=Notes()).resumed_from == 1


@pytest.mark.parametrize("size_bytes", [0, 100, 300])
def test_a_disk_that_is_full_earlier_does_no_more_harm(tmp_path: Path, size_bytes: int) -> None:
    before = write(tmp_path, 1)
    with full_disk(size_bytes), pytest.raises(ResourceError):
        write(tmp_path, 2, b"w" * 500)
    assert checkpoint.newest(tmp_path, "ours") == checkpoint.Found(before, ())
