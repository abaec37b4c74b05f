"""The qualification as one page for people: no script, nothing from outside, made to be printed, signed and filed."""

from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files

from medlora_setup.qualification import Check, Outcome, Qualification, Rows

SIGNS = {Outcome.PASSED: "✓", Outcome.FAILED: "✗", Outcome.NOT_POSSIBLE: "○"}
UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"
SIGNED_BY = ("Name and function", "Date", "Signature")
LIMITS = (
    "This report says what was seen on this machine on this date; another machine or version needs its own.",
    "The sample questions are invented: the figures show that the program computes as it should and how fast, not how "
    "well a model answers clinical questions.",
    "Tokens are compared within one engine variant. Variants differ in the order of their sums, and may answer "
    "differently where two tokens are nearly equally likely.",
)  # fmt: skip


def page(qualification: Qualification, record_name: str, record_sha256: str) -> str:
    """One self-contained HTML document; `record_name` and its SHA-256 tie it to the JSON document."""
    title = f"Installation qualification: {qualification.product} {qualification.version}-{qualification.serial}"
    style = files("medlora_setup").joinpath("report_page.css").read_text(encoding="utf-8")
    parts = (
        _head(qualification),
        _section("What was qualified", _facts(qualification.identity)),
        _section("On which machine", _facts(qualification.machine)),
        _section("Checks", _checks(qualification.checks)),
        _section("Bench sample", _facts(qualification.bench)) if qualification.bench else "",
        _section("Models (licence) and their SHA-256", _facts(qualification.models)) if qualification.models else "",
        _section("How to read this", "<ul>" + "".join(f"<li>{_text(limit)}</li>" for limit in LIMITS) + "</ul>"),
        _signatures(f"Record: {record_name}, SHA-256 {record_sha256}"),
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{_text(title)}</title>\n'
        f"<style>\n{style}{_foot(qualification)}</style>\n</head>\n<body>\n"
        + "\n".join(filter(None, parts))
        + "\n</body>\n</html>\n"
    )


def _head(qualification: Qualification) -> str:
    state = "failed" if qualification.failed else "passed"
    return (
        "<header>\n<h1>Installation qualification</h1>\n"
        f"<p>{_text(f'{qualification.product} {qualification.version}, serial {qualification.serial}')}"
        f"<span>{_text(qualification.date)}</span></p>\n</header>\n"
        f'<p class="verdict {state}">{_text(qualification.verdict)}</p>'
    )


def _foot(qualification: Qualification) -> str:
    """The rule that names the report at the foot of every sheet; what it names cannot hold a quote."""
    named = f"{qualification.product} {qualification.version}, serial {qualification.serial}, {qualification.date}"
    return (
        f'@page {{ @bottom-left {{ content: "Installation qualification: {_text(named)}"; font: 8pt sans-serif }} }}\n'
    )


def _section(heading: str, content: str) -> str:
    return f"<section>\n<h2>{_text(heading)}</h2>\n{content}\n</section>"


def _facts(rows: Rows) -> str:
    return _table("facts", (f"<th>{_text(name)}</th><td>{_text(value)}</td>" for name, value in rows))


def _checks(checks: Iterable[Check]) -> str:
    head = "<thead><tr><th></th><th>Check</th><th>Done, and found</th><th>Result</th></tr></thead>\n"
    return _table("checks", _check_rows(checks), head)


def _check_rows(checks: Iterable[Check]) -> Iterator[str]:
    for number, check in enumerate(checks, start=1):
        state = check.outcome.name.lower().replace("_", "-")
        yield (
            f"<td>{number}</td><th>{_text(check.name)}</th>"
            f'<td><p class="done">{_text(check.done)}</p><p>{_text(check.found)}</p></td>'
            f'<td class="{state}"><b>{SIGNS[check.outcome]}</b> {_text(check.outcome)}</td>'
        )


def _table(kind: str, rows: Iterable[str], head: str = "") -> str:
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return f'<table class="{kind}">\n{head}<tbody>\n{body}\n</tbody>\n</table>'


def _signatures(record: str) -> str:
    lines = "".join(f"<div>{_text(line)}</div>" for line in SIGNED_BY)
    return (
        f'<section class="signed">\n<h2>Reviewed and accepted</h2>\n<p>{_text(record)}</p>\n'
        f'<div class="lines">{lines}</div>\n</section>'
    )


def _text(foreign: str) -> str:
    """Text from anywhere, as text: no markup, no control or invisible characters but the line's end."""
    return escape(
        "".join(character if character.isprintable() or character == "\n" else UNPRINTABLE for character in foreign)
    )
