"""Rescoring, comparing and reporting runs whose journals are written by hand."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from medlora_edge.bench import journal, runfolder
from medlora_edge.bench.compare import always, compare
from medlora_edge.bench.comparison import report_comparison
from medlora_edge.bench.journal import Journal
from medlora_edge.bench.kinds import Flag, Mode, Origin, Split
from medlora_edge.bench.reference import published
from medlora_edge.bench.report import report
from medlora_edge.bench.results import compute
from medlora_edge.bench.schema import Card, RunSettings, Sample
from medlora_edge.cli.report import print_report, print_runs
from medlora_edge.engine.protocol import Timings
from medlora_edge.errors import CorruptError, UsageError
from tests.bench.samples import card, sample


def by_id(*samples: Sample) -> dict[str, Sample]:
    return {one.id: one for one in samples}


def text_of(print_to: object, *shown: object) -> str:
    console = Console(file=io.StringIO(), width=200, markup=False, highlight=False)
    print_to(*shown, console)  # type: ignore[operator]
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def official(n_items: int = 500, mode: Mode = Mode.GENERATE, split: Split = Split.TEST) -> Card:
    data = card().data.model_copy(update={"origin": Origin.OFFICIAL, "n_split": 500, "n_items": n_items})
    return card(data=data, settings=RunSettings(mode=mode, split=split))


THREE = by_id(
    sample("1", "yes", None, response="Yes, clearly."),
    sample("2", "no", "yes", response="No."),
    sample("3", "maybe", None, flags=(Flag.TOO_LONG,), error="long"),
)


def test_labels_are_read_again_from_the_responses() -> None:
    results = compute(card(), THREE)
    assert results.metrics.accuracy == pytest.approx(2 / 3)
    assert results.finished
    assert results.too_long == ("3",)
    assert results.metrics.flags == {Flag.TOO_LONG: 1}


def test_scores_keep_their_labels() -> None:
    results = compute(card(n_items=1), by_id(sample("1", "no", "no", label_probs={"no": 1.0})))
    assert results.metrics.accuracy == 1.0


def test_an_unfinished_run_says_so() -> None:
    results = compute(card(n_items=7), THREE)
    assert not results.finished
    assert "UNFINISHED: 3 of 7" in text_of(print_report, report(results))


def test_nothing_answered() -> None:
    with pytest.raises(UsageError):
        compute(card(), {})


def test_cost_counts_what_was_computed() -> None:
    cost = Timings(
        prompt_tokens=100,
        cached_tokens=40,
        generated_tokens=10,
        prefill_seconds=2,
        decode_seconds=5,
        total_seconds=9,
    )
    samples = by_id(*(sample(str(n), "yes", "yes", timings=cost, elapsed_seconds=3) for n in range(20)))
    timings = compute(card(n_items=20), samples).timings
    assert (timings.prompt_tokens, timings.cached_tokens, timings.generated_tokens) == (2000, 800, 200)
    assert timings.prefill_tokens_per_second == pytest.approx(30)
    assert timings.decode_tokens_per_second == pytest.approx(9 / 5)  # the first token is the prefill's
    assert (timings.seconds_median, timings.seconds_p95, timings.wall_seconds) == (7, 7, 60)


def test_comparison() -> None:
    right = {"1": "yes", "2": "no", "3": "maybe", "4": "yes"}
    a = by_id(*(sample(id_, gold, gold) for id_, gold in right.items()))  # type: ignore[arg-type]
    b = by_id(sample("1", "yes", "yes"), sample("2", "no", "yes"), sample("3", "maybe", None), sample("4", "yes", "no"))
    other = card(settings=RunSettings(seed=5))
    found = compare((card(), a), (other, b))
    assert (found.both_right, found.only_a, found.only_b, found.both_wrong) == (1, 3, 0, 0)
    assert found.difference == 0.75
    assert found.mcnemar_p == 0.25
    assert [(flip.id, flip.b) for flip in found.flipped] == [("2", "yes"), ("3", None), ("4", "no")]
    assert found.different == {"seed": ("0", "5")}
    shown = text_of(print_report, report_comparison(found))
    assert "+75.0 points" in shown
    assert "p = 0.25" in shown


def test_a_run_is_compared_with_always_yes_over_its_own_items() -> None:
    a = by_id(
        sample("1", "yes", "yes", response="yes."), sample("2", "no", "no", response="no."), sample("3", "no", None)
    )
    found = compare((card(), a), always("yes", (card(), a)))
    assert (found.both_right, found.only_a, found.only_b, found.both_wrong) == (1, 1, 0, 1)
    assert found.different["model"] == ("toy", "always yes")


def test_comparison_refuses_other_data_and_other_items() -> None:
    one = by_id(sample("1", "yes", "yes"))
    with pytest.raises(UsageError, match="different data sets"):
        compare((card(), one), (card(data_sha256="f" * 64), one))
    with pytest.raises(UsageError, match="2 are in one of them only"):
        compare((card(), one), (card(), by_id(sample("2", "yes", "yes"))))


def test_published_rows_stand_beside_official_data_only() -> None:
    assert list(published(card())) == []
    rows = {row.model: same for row, same in published(official())}
    assert rows["one human"] is True
    assert rows["Meditron-7B, fine-tuned"] is False
    medilora = next(name for name in rows if name.startswith("MediLoRA PubMedQA"))
    assert rows[medilora] is False
    rows = {row.model: same for row, same in published(official(split=Split.ALL))}
    assert (rows[medilora], rows["one human"]) == (True, False)
    assert not any(same for _, same in published(official(n_items=60)))
    rows = {row.model: same for row, same in published(official(split=Split.ALL, mode=Mode.SCORE))}
    assert rows[medilora] is False


def test_report_names_everything_a_reader_must_know() -> None:
    model = card().model.model_copy(update={"untrained": True, "name": "evil\x1b[2Jname"})
    data = card().data.model_copy(update={"origin": Origin.SAMPLE, "n_split": 9})
    shown = text_of(print_report, report(compute(card(model=model, data=data), THREE)))
    for words in ("UNTRAINED MODEL", "SAMPLE DATA", "SUBSET: 3 of the 9", "counted wrong: 1 (3)"):
        assert words in shown
    assert "\x1b" not in shown
    assert "55.2" in text_of(print_report, report(compute(official(), THREE)))


def test_folder_keeps_card_journal_and_results(tmp_path: Path) -> None:
    with Journal(tmp_path / journal.NAME) as lines:
        for one in THREE.values():
            lines.append(one)
    runfolder.write(tmp_path, card())
    read_card, samples = runfolder.load(tmp_path)
    results = compute(read_card, samples)
    runfolder.write(tmp_path, results)
    assert runfolder.read_results(tmp_path) == results
    document = json.loads((tmp_path / "results.json").read_text())
    assert document["metrics"]["n"] == 3
    assert document["schema_version"] == 1
    assert document["metrics"]["intervals"]["accuracy"][0] < document["metrics"]["accuracy"]


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"schema_version": 2}'])
def test_a_damaged_card_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "card.json").write_bytes(content)
    with pytest.raises(CorruptError, match=r"card\.json"):
        runfolder.load(tmp_path)


def test_list_of_runs(home: Path) -> None:
    assert "no runs yet" in text_of(print_runs)
    for name, content in (("good", card().model_dump_json()), ("bad", "{")):
        folder = home / "data" / "runs" / name
        folder.mkdir(parents=True)
        (folder / "card.json").write_text(content)
    shown = text_of(print_runs)
    assert "0/3" in shown
    assert "not a readable card.json" in shown


def test_what_the_reader_must_know_is_in_the_report() -> None:
    stopped = by_id(sample("1", "yes", "yes", response="yes. ", flags=(Flag.STOPPED_EARLY,)))
    shown = text_of(print_report, report(compute(card(n_items=1, notes=("CPU is used",)), stopped)))
    assert "CPU is used" in shown
    assert "1 answers were stopped at their label" in shown
