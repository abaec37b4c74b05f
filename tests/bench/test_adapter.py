"""A run with a LoRA adapter: another run than without it, and everything that is kept says so."""

import json
from pathlib import Path

import pytest

from medlora_edge.bench import journal, library, runfolder
from medlora_edge.bench.compare import compare
from medlora_edge.bench.job import Job, make_job
from medlora_edge.bench.kinds import Mode
from medlora_edge.bench.runner import run
from medlora_edge.bench.schema import RunSettings
from medlora_edge.engine import Engine
from medlora_edge.errors import GateError, UsageError
from medlora_edge.models import Adapter, find, find_adapter
from tests.bench.samples import card, sample
from tests.bench.test_results import text_of
from tests.bench.test_run import Watch
from tests.lora import matrices, random_pairs, write_adapter


def adapter(tiny_gguf: Path, folder: Path, strength: float) -> Adapter:
    pairs = random_pairs(tiny_gguf, matrices(tiny_gguf), strength=strength)
    path = write_adapter(folder / f"by {strength}.gguf", pairs)
    return find_adapter(path, find(str(tiny_gguf)))


def job(tiny_gguf: Path, adapted: Adapter | None) -> Job:
    return make_job(find(str(tiny_gguf)), library.sample(), RunSettings(mode=Mode.SCORE, limit=3), None, adapted)


def measure(asked: Job, folder: Path) -> None:
    with Engine(log=folder.parent / "engine.log") as engine:
        run(asked, folder, engine, Watch())


def logprobs(folder: Path) -> list[object]:
    return [one.label_logprobs for one in journal.read(folder / journal.NAME).values()]


def test_the_adapter_is_part_of_a_runs_identity(tiny_gguf: Path, tmp_path: Path) -> None:
    jobs = [job(tiny_gguf, adapted) for adapted in (None, *(adapter(tiny_gguf, tmp_path, s) for s in (0.5, 1.0)))]
    assert len({one.identity for one in jobs}) == len({one.folder_name for one in jobs}) == 3
    assert "_by-0.5_" in jobs[1].folder_name
    again = job(tiny_gguf, adapter(tiny_gguf, tmp_path, 1.0))
    assert again.folder_name == jobs[2].folder_name


def test_a_run_answers_with_the_adapter_and_records_it(tiny_gguf: Path, tmp_path: Path) -> None:
    adapted = adapter(tiny_gguf, tmp_path, 1.0)
    measure(job(tiny_gguf, None), tmp_path / "plain")
    measure(job(tiny_gguf, adapted), tmp_path / "adapted")
    measure(job(tiny_gguf, adapter(tiny_gguf, tmp_path, 0.0)), tmp_path / "idle")
    assert logprobs(tmp_path / "idle") == logprobs(tmp_path / "plain") != logprobs(tmp_path / "adapted")
    kept = json.loads((tmp_path / "adapted" / "card.json").read_text())["adapter"]
    assert kept == {"name": "by-1.0", "sha256": adapted.sha256}
    plain, _ = runfolder.load(tmp_path / "plain")
    assert plain.adapter is None
    found = compare(runfolder.load(tmp_path / "plain"), runfolder.load(tmp_path / "adapted"))
    assert found.different["adapter"] == ("none", "by-1.0")
    assert found.different["adapter sha256"] == ("none", adapted.sha256)


def test_a_folder_with_another_adapter_is_not_resumed(tiny_gguf: Path, tmp_path: Path) -> None:
    measure(job(tiny_gguf, adapter(tiny_gguf, tmp_path, 1.0)), tmp_path / "run")
    for other in (None, adapter(tiny_gguf, tmp_path, 0.5)):
        with pytest.raises(UsageError, match="another run: model, adapter"):
            measure(job(tiny_gguf, other), tmp_path / "run")


def test_scores_that_are_no_numbers_stop_the_run(tiny_gguf: Path, tmp_path: Path) -> None:
    path = write_adapter(tmp_path / "loud.gguf", random_pairs(tiny_gguf, matrices(tiny_gguf)), alpha=1e20)
    with pytest.raises(GateError, match="self-test of score mode failed"):
        measure(job(tiny_gguf, find_adapter(path, find(str(tiny_gguf)))), tmp_path / "run")


def test_the_report_names_the_adapter() -> None:
    from medlora_edge.bench.report import report
    from medlora_edge.bench.results import compute
    from medlora_edge.bench.schema import AdapterCard
    from medlora_edge.cli.report import print_report

    named = card(adapter=AdapterCard(name="stage-2", sha256="f" * 64))
    shown = text_of(print_report, report(compute(named, {"1": sample("1", "yes", "yes")})))
    assert "toy with adapter stage-2 on PubMedQA" in shown
    assert "adapter sha256 ffffffffffffffff" in shown
