"""What the benches of a run came to: figures with intervals, paired tests, answers kept; for manifest and card."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import JsonValue

from build_tools.gates.report import Measure
from build_tools.manifest import StepRecord
from build_tools.pipeline.measuring import BEFORE, MERGED, SHIPS, benches, hashes
from medlora_edge.bench import runfolder
from medlora_edge.bench.compare import Run, always, compare
from medlora_edge.bench.kinds import Mode
from medlora_edge.bench.metrics import Confusion, macro_f1
from medlora_edge.bench.results import compute, reread
from medlora_edge.bench.schema import LABELS, Results
from medlora_edge.errors import CorruptError, UsageError

VALID_BAR = 0.99  # of answers in mode generate
KEPT_BAR = 0.95  # of F16's answers
RESAMPLES = 10_000

Runs = Mapping[tuple[str, Mode], Run]


def measured(folder: Path, records: Mapping[str, StepRecord]) -> dict[str, JsonValue]:
    """Figures of all benches of a run.

    Raises UsageError where one is missing or unfinished, CorruptError for one that is damaged or of another GGUF.
    """
    runs: Runs = {(name, mode): _load(place) for name, mode, place in benches(folder)}
    results = {key: compute(*run) for key, run in runs.items()}
    unfinished = [f"{name}-{mode}" for (name, mode), result in results.items() if not result.finished]
    if unfinished:
        raise _missing(folder, ", ".join(unfinished))
    figures = [_figures(name, mode, result) for (name, mode), result in results.items()]
    require_models(figures, folder, records)
    card = results[SHIPS, Mode.GENERATE].card
    return {
        "items": card.data.n_items,
        "data_sha256": card.data.sha256,
        "answers": f"greedy, at most {card.settings.max_tokens} tokens, {card.resolved.parallel} side by side",
        "engine": f"llama.cpp {card.software['llama.cpp']}, {card.resolved.threads} threads; {card.machine.cpu}",
        "majority": {"accuracy": _majority_rate(results), "macro_f1": _majority_f1(results)},
        "runs": [*figures],
        "tests": [test for mode in Mode for test in _tests(runs, mode)],
        "kept": [_kept(runs, mode) for mode in Mode],
        "bars": [bar.model_dump(mode="json") for bar in _bars(runs, results)],
        "aims": [aim for mode in Mode for aim in _aims(results, mode)],
    }


def require_models(figures: Sequence[Mapping[str, JsonValue]], folder: Path, records: Mapping[str, StepRecord]) -> None:
    """Require that every bench asked the GGUF that went through the run's gate. Raises CorruptError for another one."""
    wanted = hashes(folder, records)
    for bench in figures:
        if bench["sha256"] != wanted[str(bench["model"])]:
            what = f"the bench {bench['model']}-{bench['mode']} is of another GGUF than went through the gate"
            fix = "remove the run's folder bench, measure again with `medlora-build bench`, and ship again"
            raise CorruptError(what, where=str(folder), fix=fix)


def _load(place: Path) -> Run:
    if runfolder.read_card(place) is None:
        raise _missing(place.parent.parent, place.name)
    return runfolder.load(place)


def _missing(folder: Path, what: str) -> UsageError:
    fix = f"medlora-build bench {folder} --data ori_pqal.json.gz"
    return UsageError(f"benches are missing or unfinished: {what}", where=str(folder), fix=fix)


def _figures(name: str, mode: Mode, result: Results) -> dict[str, JsonValue]:
    metrics = result.metrics
    low, high = macro_f1_interval(metrics.confusion)
    return {
        "model": name,
        "sha256": result.card.model.sha256,
        "mode": str(mode),
        "accuracy": metrics.accuracy,
        "accuracy_interval": list(metrics.intervals["accuracy"]),
        "macro_f1": metrics.macro_f1,
        "macro_f1_interval": [low, high],
        "strict_valid_rate": metrics.strict_valid_rate,
        "strict_valid_interval": list(metrics.intervals["strict_valid_rate"]),
        "seconds": round(result.timings.wall_seconds, 1),
    }


def macro_f1_interval(table: Confusion) -> tuple[float, float]:
    """95 % percentile interval over bootstrap samples of the items (Efron 1979); the seed is fixed."""
    cells = [(truth, guess) for truth, row in table.items() for guess in row]
    counts = np.array([table[truth][guess] for truth, guess in cells])
    draws = np.random.default_rng(0).multinomial(counts.sum(), counts / counts.sum(), RESAMPLES)
    scores = [macro_f1(_table(table, cells, draw)) for draw in draws.tolist()]
    low, high = np.quantile(scores, [0.025, 0.975])
    return float(low), float(high)


def _table(like: Confusion, cells: Sequence[tuple[str, str]], counts: Sequence[int]) -> Confusion:
    drawn = dict(zip(cells, counts, strict=True))
    return {truth: {guess: drawn[truth, guess] for guess in row} for truth, row in like.items()}


def _tests(runs: Runs, mode: Mode) -> Sequence[JsonValue]:
    """The model that ships against always-yes and against itself before tuning, same items."""
    ships = runs[SHIPS, mode]
    others = {"always yes": always("yes", ships), BEFORE: runs[BEFORE, mode]}
    found = {name: compare(ships, other) for name, other in others.items()}
    return [
        {
            "mode": str(mode),
            "against": name,
            "difference": one.difference,
            "interval": list(one.difference_interval),
            "p": one.mcnemar_p,
        }
        for name, one in found.items()
    ]


def _kept(runs: Runs, mode: Mode) -> dict[str, JsonValue]:
    """Of the items that F16 gives a label, how many get the same one from the model that ships."""
    full, small = (reread(*runs[name, mode]) for name in (MERGED, SHIPS))
    pairs = [(one.strict_label, two.strict_label) for one, two in zip(full, small, strict=True) if one.strict_label]
    same = sum(one == two for one, two in pairs)
    return {"mode": str(mode), "of": len(pairs), "same": same, "share": same / len(pairs) if pairs else 0.0}


def _bars(runs: Runs, results: Mapping[tuple[str, Mode], Results]) -> Sequence[Measure]:
    valid = results[SHIPS, Mode.GENERATE].metrics.strict_valid_rate
    kept = float(str(_kept(runs, Mode.GENERATE)["share"]))
    return (
        Measure(name="strict valid rate, mode generate", value=valid, limit=VALID_BAR, side="at least"),
        Measure(name="F16's answers kept, mode generate", value=kept, limit=KEPT_BAR, side="at least"),
    )


def _aims(results: Mapping[tuple[str, Mode], Results], mode: Mode) -> Sequence[JsonValue]:
    """What is hoped for, not required: better than always-yes in macro-F1, no worse in accuracy."""
    metrics = results[SHIPS, mode].metrics
    low, _ = macro_f1_interval(metrics.confusion)
    _, high = metrics.intervals["accuracy"]
    f1, rate = _majority_f1(results), _majority_rate(results)
    aims = {
        "macro-F1's interval lies above always-yes": (low, f1, low > f1),
        "accuracy's interval reaches always-yes": (high, rate, high >= rate),
    }
    return [
        {"mode": str(mode), "aim": aim, "value": value, "bar": bar, "met": met}
        for aim, (value, bar, met) in aims.items()
    ]


def _majority_rate(results: Mapping[tuple[str, Mode], Results]) -> float:
    return results[SHIPS, Mode.GENERATE].metrics.majority_rate


def _majority_f1(results: Mapping[tuple[str, Mode], Results]) -> float:
    """Macro-F1 of giving every item the most frequent label: its own F1, and 0 for the others."""
    rate = _majority_rate(results)
    return 2 * rate / (1 + rate) / len(LABELS)
