"""Results as tables."""

from medlora_edge.bench.kinds import Mode
from medlora_edge.bench.metrics import INVALID
from medlora_edge.bench.notices import notices
from medlora_edge.bench.reference import published
from medlora_edge.bench.schema import LABELS, Card, Metrics, Results, RunTimings
from medlora_edge.bench.tabular import Report, Section, add_row, interval_text, percent, plain_table

GIB = 1 << 30
HEADLINE = (
    ("accuracy, all items", "accuracy", "lenient_accuracy"),
    ("accuracy, valid only", "accuracy_valid", "lenient_accuracy_valid"),
    ("macro-F1", "macro_f1", "lenient_macro_f1"),
    ("valid response rate", "strict_valid_rate", "lenient_valid_rate"),
)


def report(results: Results) -> Report:
    """Everything there is to know about a run."""
    metrics = results.metrics
    beside = _published(results)
    footnote = "* other items or another way of answering than this run: not directly comparable"
    return Report(
        title=_title(results),
        notices=tuple(notices(results)),
        parts=(
            _headline(metrics),
            _classes(metrics),
            _confusion(metrics),
            *((beside, footnote) if beside else ()),
            _cost(results.timings),
            *_setting(results.card),
        ),
    )


def _title(results: Results) -> str:
    card = results.card
    subset = f", subset of {card.data.n_items:,}" if card.data.n_items < card.data.n_split else ""
    where = f"{card.data.name} ({card.data.origin}), split {card.settings.split}{subset}"
    measured = f"{card.model.name} with adapter {card.adapter.name}" if card.adapter else card.model.name
    return f"{measured} on {where}, mode {card.settings.mode}: n = {results.metrics.n:,}"


def _headline(metrics: Metrics) -> Section:
    table = plain_table("", "strict", "95 % interval", "lenient", "95 % interval")
    figures = metrics.model_dump()
    for name, strict, lenient in HEADLINE:
        cells = []
        for key in (strict, lenient):
            interval = metrics.intervals.get(key)
            cells += [percent(figures[key]), interval_text(interval) if interval else ""]
        add_row(table, name, *cells)
    add_row(table, "most frequent label", percent(metrics.majority_rate))
    return Section("Result, %", table)


def _classes(metrics: Metrics) -> Section:
    columns = ("", "items", "predicted", "precision (95 %)", "recall (95 %)", "F1")
    table = plain_table(*columns)
    for label, row in metrics.per_class.items():
        precision = f"{percent(row.precision)} ({interval_text(row.precision_interval)})" if row.predicted else "-"
        recall = f"{percent(row.recall)} ({interval_text(row.recall_interval)})"
        add_row(table, label, str(row.support), str(row.predicted), precision, recall, percent(row.f1))
    return Section("By label (strict), %", table)


def _confusion(metrics: Metrics) -> Section:
    names = (*LABELS, INVALID)
    table = plain_table("", *names)
    for label, row in metrics.confusion.items():
        add_row(table, label, *(str(row[name]) for name in names))
    return Section("Confusion (strict): rows true, columns predicted", table)


def _published(results: Results) -> Section | None:
    rows = list(published(results.card))
    if not rows:
        return None
    table = plain_table("model", "accuracy", "measured how (source)")
    table.columns[-1].justify = "left"
    metrics, card = results.metrics, results.card
    how = _how(f"{metrics.n:,} items", card.settings.mode, metrics.macro_f1, metrics.strict_valid_rate)
    add_row(table, "this run", f"{percent(metrics.accuracy)}  ", how, style="bold")
    for row, comparable in rows:
        figures = [None if figure is None else figure / 100 for figure in (row.macro_f1, row.valid_response_rate)]
        how = f"{_how(row.items, row.setting, *figures)} ({row.source})"
        add_row(table, row.model, f"{row.accuracy:.1f} {' ' if comparable else '*'}", how)
    return Section("Published figures, accuracy in %", table)


def _how(items: str, setting: str, macro_f1: float | None, valid_rate: float | None) -> str:
    figures = {"macro-F1": macro_f1, "valid": valid_rate}
    known = [f"{name} {percent(figure)}" for name, figure in figures.items() if figure is not None]
    return "; ".join((items, setting, *known))


def _cost(timings: RunTimings) -> Section:
    table = plain_table("", "")
    rows = {
        "prompt tokens": f"{timings.prompt_tokens:,}",
        "of them cached": f"{timings.cached_tokens:,}",
        "generated tokens": f"{timings.generated_tokens:,}",
        "prefill, tokens/s": _rate(timings.prefill_tokens_per_second),
        "decode, tokens/s of one sequence": _rate(timings.decode_tokens_per_second),
        "generated, tokens/s of wall time": _rate(timings.generated_tokens_per_wall_second),
        "seconds a question, median": _rate(timings.seconds_median, 2),
        "seconds a question, 95th percentile": _rate(timings.seconds_p95, 2),
        "wall time, seconds": _rate(timings.wall_seconds),
        "peak memory of the engine, GiB": f"{timings.peak_memory_bytes / GIB:.2f}",
    }
    for name, value in rows.items():
        add_row(table, name, value)
    return Section("Cost", table)


def _rate(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _setting(card: Card) -> list[str]:
    settings, resolved, model = card.settings, card.resolved, card.model
    sampling = settings.sampling
    if settings.mode is Mode.SCORE or sampling is None:
        how = "sum of log-probabilities of each label"
    else:
        how = (
            f"temperature {sampling.temperature}, top-k {sampling.top_k}, top-p {sampling.top_p}, "
            f"min-p {sampling.min_p}, repeat penalty {sampling.repeat_penalty}, seed {settings.seed}, "
            f"at most {settings.max_tokens} tokens"
        )
    adapter = f"; adapter sha256 {card.adapter.sha256[:16]}" if card.adapter else ""
    return [
        f"model: {model.architecture}, {model.n_params / 1e6:,.1f} million parameters, {model.quantisation}, "
        f"sha256 {model.sha256[:16]}{adapter}",
        f"answers: {how}",
        f"engine: llama.cpp {card.software['llama.cpp']}, {resolved.threads} threads, {resolved.parallel} in "
        f"parallel, context {resolved.n_ctx}, batch {resolved.n_batch}, KV {settings.kv_type}",
        f"machine: {card.machine.cpu}; data sha256 {card.data.sha256[:16]}; readers {card.reader_version}",
    ]
