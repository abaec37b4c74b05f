"""Whole runs through the real engine on a model with random weights."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from medlora_edge.bench import dataset, journal, library, runfolder
from medlora_edge.bench.job import Job, earlier, is_finished, make_job
from medlora_edge.bench.kinds import Flag, Mode
from medlora_edge.bench.runner import run
from medlora_edge.bench.schema import Label, Results, RunSettings, Sample
from medlora_edge.engine import Engine, Reason, Sampling
from medlora_edge.engine import client as engine_client
from medlora_edge.errors import EngineError, InUseError, UsageError
from medlora_edge.models import Model, find
from tests.bench.samples import record, write_records

GREEDY = Sampling(temperature=0)
SHORT = {"max_tokens": 12, "sampling": GREEDY, "limit": 8, "threads": 1}


@dataclass
class Watch:
    """Remembers what it is told; `then` runs after each answer."""

    then: Callable[[int], None] = lambda _: None
    stages: list[str] = field(default_factory=list)
    answers: list[Sample] = field(default_factory=list)

    def stage(self, what: str) -> None:
        self.stages.append(what)

    def begin(self, done: Sequence[Sample], total: int) -> None:
        self.stages.append(f"{len(done)}/{total}")

    def answered(self, sample: Sample) -> None:
        self.answers.append(sample)
        self.then(len(self.answers))


@pytest.fixture
def model(tiny_gguf: Path) -> Model:
    return find(str(tiny_gguf))


@pytest.fixture
def make(model: Model) -> Callable[..., Job]:
    def job(mode: Mode, **settings: object) -> Job:
        asked = RunSettings.model_validate({"mode": mode, **SHORT, **settings})
        return make_job(model, library.sample(), asked, None)

    return job


@contextmanager
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(log=tmp_path / "engine.log") as started:
        yield started


def measure(job: Job, folder: Path, watch: Watch | None = None) -> Results:
    with engine(folder.parent) as started:
        return run(job, folder, started, watch or Watch())


def labels(folder: Path) -> dict[str, tuple[Label | None, Label | None]]:
    samples = journal.read(folder / journal.NAME)
    return {id_: (sample.strict_label, sample.lenient_label) for id_, sample in samples.items()}


@pytest.mark.parametrize("mode", Mode)
def test_every_mode_answers_every_item(make: Callable[..., Job], tmp_path: Path, mode: Mode) -> None:
    job = make(mode)
    results = measure(job, tmp_path / "run")
    samples = journal.read(tmp_path / "run" / journal.NAME)
    assert results.finished
    assert results.metrics.n == len(samples) == 8
    assert {len(sample.prompt_sha256) for sample in samples.values()} == {64}
    assert results.card.model.untrained
    assert results.timings.prompt_tokens > results.timings.cached_tokens > 0
    assert results.timings.peak_memory_bytes > 1 << 20
    assert runfolder.read_results(tmp_path / "run") == results
    assert is_finished(job, tmp_path / "run")


def test_score_gives_probabilities_and_no_text(make: Callable[..., Job], tmp_path: Path) -> None:
    results = measure(make(Mode.SCORE, parallel=8), tmp_path / "run")
    assert results.card.resolved.parallel == 1
    assert results.metrics.strict_valid_rate == 1.0
    for sample in journal.read(tmp_path / "run" / journal.NAME).values():
        assert sample.response is None
        assert sample.label_probs is not None
        assert sum(sample.label_probs.values()) == pytest.approx(1)
        assert max(sample.label_probs, key=lambda label: sample.label_probs[label]) == sample.strict_label  # type: ignore[index]


def test_constrained_is_always_valid(make: Callable[..., Job], tmp_path: Path) -> None:
    results = measure(make(Mode.CONSTRAINED, sampling=Sampling(temperature=2.0)), tmp_path / "run")
    assert results.metrics.strict_valid_rate == results.metrics.lenient_valid_rate == 1.0
    responses = {sample.response for sample in journal.read(tmp_path / "run" / journal.NAME).values()}
    assert responses <= {"yes.", "no.", "maybe."}


def test_wide_and_narrow_runs_agree_but_for_near_ties(make: Callable[..., Job], tmp_path: Path) -> None:
    measure(make(Mode.GENERATE, parallel=1), tmp_path / "one")
    assert measure(make(Mode.GENERATE), tmp_path / "many").card.resolved.parallel == 8
    one, many = (journal.read(tmp_path / name / journal.NAME) for name in ("one", "many"))
    for id_, sample in one.items():
        if Flag.NEAR_TIE not in {*sample.flags, *many[id_].flags}:
            assert many[id_].response == sample.response


def test_the_seed_decides_and_zero_is_a_seed(make: Callable[..., Job], tmp_path: Path) -> None:
    def responses(name: str, seed: int) -> list[str | None]:
        sampling = Sampling(temperature=3.0, top_k=0, top_p=1.0, min_p=0.0)
        measure(make(Mode.GENERATE, seed=seed, parallel=1, limit=3, sampling=sampling), tmp_path / name)
        return [sample.response for sample in journal.read(tmp_path / name / journal.NAME).values()]

    first = responses("a", 0)
    assert len(set(first)) == 3
    assert responses("b", 0) == first
    assert responses("c", 1) != first


def test_an_answer_ends_at_max_tokens(make: Callable[..., Job], tmp_path: Path) -> None:
    measure(make(Mode.GENERATE, full=True, limit=2), tmp_path / "run")
    for sample in journal.read(tmp_path / "run" / journal.NAME).values():
        assert sample.timings.generated_tokens <= 12
        assert sample.reason in {Reason.MAX_TOKENS, Reason.END_OF_TURN}


def test_a_finished_run_is_not_asked_again(make: Callable[..., Job], tmp_path: Path) -> None:
    results = measure(make(Mode.SCORE), tmp_path / "run")
    watch = Watch()
    assert measure(make(Mode.SCORE), tmp_path / "run", watch) == results
    assert watch.stages == []


@pytest.mark.parametrize("settings", [{"mode": Mode.SCORE}, {"mode": Mode.GENERATE, "parallel": 1}])
def test_a_stopped_run_goes_on_and_ends_the_same(
    make: Callable[..., Job], tmp_path: Path, settings: dict[str, object]
) -> None:
    def stop(answers: int) -> None:
        if answers == 3:
            raise KeyboardInterrupt

    job = make(**settings)
    unbroken = measure(job, tmp_path / "unbroken")
    with pytest.raises(KeyboardInterrupt):
        measure(job, tmp_path / "run", Watch(then=stop))
    assert not is_finished(job, tmp_path / "run")
    with (tmp_path / "run" / journal.NAME).open("ab") as torn:
        torn.write(b'{"id": "sample-2')
    watch = Watch()
    resumed = measure(job, tmp_path / "run", watch)
    assert watch.stages[-1] == "3/8"
    assert len(watch.answers) == 5
    assert resumed.metrics == unbroken.metrics
    assert resumed.card.resolved == unbroken.card.resolved
    assert labels(tmp_path / "run") == labels(tmp_path / "unbroken")


def test_a_folder_belongs_to_one_run(make: Callable[..., Job], tmp_path: Path) -> None:
    measure(make(Mode.SCORE, limit=2), tmp_path / "run")
    for other in (make(Mode.SCORE, limit=3), make(Mode.CONSTRAINED, limit=2), make(Mode.SCORE, limit=2, seed=1)):
        with pytest.raises(UsageError, match="another run"):
            measure(other, tmp_path / "run")
    with runfolder.hold(tmp_path / "run"), pytest.raises(InUseError):
        measure(make(Mode.SCORE, limit=2), tmp_path / "run")


def test_items_too_long_are_listed_and_wrong(model: Model, tmp_path: Path) -> None:
    records = {"short": record(), "long": record(CONTEXTS=["word " * 10_000]), "other": record("no")}
    data = dataset.read(write_records(tmp_path / "own.json", records))
    for mode in (Mode.SCORE, Mode.GENERATE):
        job = make_job(model, data, RunSettings(mode=mode, max_tokens=8, sampling=GREEDY), None)
        results = measure(job, tmp_path / mode)
        assert results.too_long == ("long",)
        assert results.metrics.n == 3
        assert results.metrics.strict_valid_rate <= 2 / 3
        assert results.card.resolved.n_ctx < 4096


def test_nothing_fits(model: Model, tmp_path: Path) -> None:
    data = dataset.read(write_records(tmp_path / "own.json", {"1": record()}))
    job = make_job(model, data, RunSettings(mode=Mode.SCORE, context=20), None)
    results = measure(job, tmp_path / "run")
    assert (results.finished, results.metrics.accuracy, results.too_long) == (True, 0.0, ("1",))


@pytest.mark.parametrize("mode", [Mode.SCORE, Mode.GENERATE])
def test_a_killed_engine_costs_nothing(make: Callable[..., Job], tmp_path: Path, mode: Mode) -> None:
    job = make(mode, parallel=1)
    unbroken = measure(job, tmp_path / "unbroken")

    def kill(answers: int) -> None:
        if answers == 2 and started.pid:
            os.kill(started.pid, signal.SIGKILL)

    with engine(tmp_path) as started:
        results = run(job, tmp_path / "run", started, Watch(then=kill))
    assert results.engine_failed == ()
    assert results.metrics == unbroken.metrics
    assert labels(tmp_path / "run") == labels(tmp_path / "unbroken")


def test_an_engine_that_is_gone_keeps_what_is_done(
    make: Callable[..., Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_client, "BACK_OFF", (0.0,))
    monkeypatch.setattr(engine_client, "GIVE_UP", 1)
    job = make(Mode.SCORE)

    def kill(answers: int) -> None:
        if answers == 3 and started.pid:
            os.kill(started.pid, signal.SIGKILL)

    with engine(tmp_path) as started, pytest.raises(EngineError):
        run(job, tmp_path / "run", started, Watch(then=kill))
    kept = earlier(job, tmp_path / "run")[1]
    assert 3 <= len(kept) < 8
    assert not any(sample.error for sample in kept.values())
    assert measure(job, tmp_path / "run").finished


def test_items_the_engine_failed_on_are_asked_again(make: Callable[..., Job], tmp_path: Path) -> None:
    job = make(Mode.SCORE, limit=3)
    whole = measure(job, tmp_path / "run")
    id_, good = next(iter(journal.read(tmp_path / "run" / journal.NAME).items()))
    bad = good.model_copy(update={"strict_label": None, "flags": (Flag.ENGINE_FAILED,), "error": "died"})
    with journal.Journal(tmp_path / "run" / journal.NAME) as lines:
        lines.append(bad)
    watch = Watch()
    again = measure(job, tmp_path / "run", watch)
    assert [sample.id for sample in watch.answers] == [id_]
    assert again.metrics == whole.metrics
