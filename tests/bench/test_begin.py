"""From options and from cards to jobs; what a run so far says; the list of runs."""

from pathlib import Path
from typing import Any

import pytest

from medlora_edge import models
from medlora_edge.bench import library
from medlora_edge.bench.begin import at_hand, job_for, job_of, measure
from medlora_edge.bench.job import Job
from medlora_edge.bench.kinds import Mode, Origin
from medlora_edge.bench.runs import listed
from medlora_edge.bench.schema import AdapterCard, Card
from medlora_edge.bench.tally import Tally
from medlora_edge.engine import Engine
from medlora_edge.errors import CorruptError, UsageError
from medlora_edge.models import Model
from tests.bench.samples import card, sample
from tests.bench.test_run import Watch
from tests.models.corpus import valid_gguf


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return models.add(valid_gguf(tmp_path / "mine.gguf"))


@pytest.fixture
def job(model: Model) -> Job:
    return job_for({"mode": "score", "limit": 5}, model=model.name, dataset=library.sample())


def card_of(job: Job, **changes: Any) -> Card:
    data = card().data.model_copy(update={"origin": Origin.SAMPLE, "sha256": job.dataset.sha256})
    named = card().model.model_copy(update={"name": job.model.name})
    known: dict[str, Any] = {"run_id": job.identity, "settings": job.settings, "data": data, "model": named}
    return card(**known | changes)


def test_the_settings_file_gives_what_is_not_asked_for(model: Model, home: Path) -> None:
    (home / "config").mkdir(parents=True)
    (home / "config" / "settings.toml").write_text('[engine]\nthreads = 3\nkv_type = "q8_0"\n')
    asked = job_for({"mode": "constrained"}, model=None, dataset=library.sample()).settings
    assert (asked.threads, asked.kv_type, asked.mode) == (3, "q8_0", Mode.CONSTRAINED)
    assert job_for({"threads": 1}, model=model.name, dataset=library.sample()).settings.threads == 1


def test_a_card_leads_back_to_its_job(job: Job) -> None:
    again = job_of(card_of(job))
    assert (again.identity, again.folder_name) == (job.identity, job.folder_name)
    assert [item.question.id for item in again.items] == [item.question.id for item in job.items]


def test_what_is_not_at_hand_is_not_gone_on_with(job: Job) -> None:
    own = card().data.model_copy(update={"origin": Origin.OWN})
    with pytest.raises(UsageError, match="data file of its own"):
        job_of(card_of(job, data=own))
    with pytest.raises(UsageError, match="adapter of its own"):
        job_of(card_of(job, adapter=AdapterCard(name="a", sha256="f" * 64)))
    with pytest.raises(UsageError, match="no longer those of this run"):
        job_of(card_of(job, run_id="0" * 64))
    models.remove(job.model.name)
    with pytest.raises(UsageError, match="there is no model"):
        job_of(card_of(job))


def test_a_model_file_that_has_changed_is_not_measured(job: Job, tmp_path: Path) -> None:
    content = bytearray(job.model.path.read_bytes())
    content[-1] ^= 1
    job.model.path.write_bytes(content)
    with Engine(log=tmp_path / "engine.log") as engine, pytest.raises(CorruptError, match="no longer the file"):
        measure(job, tmp_path / "run", engine, Watch())
    assert not (tmp_path / "run").exists()


def test_data_by_its_origin() -> None:
    assert at_hand(Origin.SAMPLE) == library.sample()
    assert at_hand(Origin.OFFICIAL) is None
    assert at_hand(Origin.OWN) is None


def test_a_run_so_far() -> None:
    tally = Tally.resumed([sample("1", "yes", "yes"), sample("2", "yes", None)], 8)
    assert (tally.done, tally.right, tally.invalid, tally.fresh) == (2, 1, 1, 0)
    assert tally.time_left(60) == "time left unknown"
    tally = tally.answered(sample("3", "no", "no")).answered(sample("4", "no", "yes"))
    assert (tally.accuracy, tally.valid_rate) == (0.5, 0.75)
    assert tally.accuracy_interval == pytest.approx((0.1500, 0.8500), abs=1e-4)
    assert tally.time_left(10) == "20 s left"
    assert (Tally(3).accuracy, Tally(3).valid_rate) == (None, None)


def test_runs_that_cannot_be_read_are_listed_with_their_reason(home: Path) -> None:
    for name, content in (("a", card().model_dump_json()), ("b", "{"), ("c", card().model_dump_json())):
        folder = home / "data" / "runs" / name
        folder.mkdir(parents=True)
        (folder / "card.json").write_text(content)
    (home / "data" / "runs" / "c" / "samples.jsonl").write_text("no line of ours\n")
    whole, damaged, torn = listed()
    assert (whole.name, whole.done, whole.total, whole.accuracy, whole.problem) == ("a", 0, 3, None, None)
    assert isinstance(damaged.problem, CorruptError)
    assert isinstance(torn.problem, CorruptError)
    assert "line 1" in str(torn.problem.where)
