"""Ctrl+C stops training with words and exit code 130, and the same command goes on where it stopped."""

import signal
import subprocess
import time
from pathlib import Path

from medlora_edge.errors import ExitCode
from tests.build_tools.cli.program import PROGRAM
from tests.build_tools.pipeline.small_recipe import write

SECONDS = 120


def _ctrl_c(command: list[str | Path], seen: Path) -> "subprocess.CompletedProcess[str]":
    """Run the command, and interrupt it once a checkpoint has appeared in `seen`."""
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + SECONDS
    while not any(seen.glob("step-*")) and running.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    out, words = running.communicate(timeout=SECONDS)
    return subprocess.CompletedProcess(command, running.returncode, out, words)


def test_ctrl_c_stops_with_words_and_the_same_command_goes_on(tmp_path: Path) -> None:
    path, out = write(tmp_path), tmp_path / "run"
    path.write_text(
        path.read_text().replace("steps: 2\n    max_length: 64", "steps: 80\n    max_length: 64\n    save_every: 2")
    )
    command: list[str | Path] = [PROGRAM, "train", path, "--out", out]
    stopped = _ctrl_c(command, out / "train" / "text" / "checkpoints")
    assert stopped.returncode == ExitCode.STOPPED, stopped.stderr
    assert "stopped; finished steps are kept" in stopped.stderr
    assert f"go on: medlora-build train {path} --out {out}" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert not (out / "train" / "text" / "step.json").exists()
    resumed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert resumed.returncode == 0, resumed.stderr
    assert "text: goes on from step-" in resumed.stderr
    assert "data/text: unchanged, skipped" in resumed.stderr
