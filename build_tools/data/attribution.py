"""Whose data a model was made of: what is known about public files, and the list of articles that some consist of."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from build_tools.data.foreign import Record, first_problem, json_lines
from medlora_edge.errors import CorruptError

PLACE = Path(__file__)
HEADER = ("pmcid", "pmid", "license", "year", "journal", "title")


class Attribution(BaseModel):
    """One public data file. `by`: its authors and paper; `changes`: what was done; `articles`: see each record."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    licence: str
    source: str
    by: str
    changes: str
    articles: bool = False


class _Article(BaseModel):
    model_config = ConfigDict(coerce_numbers_to_str=True)

    pmcid: str
    pmid: str
    license: str
    year: str
    journal: str
    title: str


class HandCheck(BaseModel):
    """Questions made by a rule and read by hand: `rule` is its version, `seed` that of the sample."""

    note: str
    command: str
    file_sha256: str
    rule: int
    seed: int
    questions: tuple[dict[str, str | int | bool], ...]

    @property
    def right(self) -> int:
        """How many answers of the rule a reader gives too."""
        return sum(one["by_rule"] == one["by_hand"] for one in self.questions)


def attributions() -> dict[str, Attribution]:
    """All that is known, by the SHA-256 of a file."""
    return TypeAdapter(dict[str, Attribution]).validate_json(PLACE.with_name("attribution.json").read_bytes())


def hand_check() -> HandCheck:
    """The sample of the trial questions that was read by hand."""
    return HandCheck.model_validate_json(PLACE.with_name("trial_check.json").read_bytes())


def article_list(files: Iterable[Path]) -> str:
    """Every article of the files once, as lines of tab-separated identifiers, licence, journal and title.

    Raises as `json_lines`; CorruptError for a record that does not say whose it is.
    """
    found = {article.pmcid: article for path in files for article in map(_article, json_lines(path))}
    return "".join(_lines(article for _, article in sorted(found.items())))


def _article(record: Record) -> _Article:
    try:
        return _Article.model_validate(record.fields)
    except ValidationError as error:
        fix = f"a record has {', '.join(HEADER)}"
        raise CorruptError(first_problem(error), where=record.where, fix=fix) from error


def _lines(articles: Iterable[_Article]) -> Iterator[str]:
    yield "\t".join(HEADER) + "\n"
    for article in articles:
        fields = article.model_dump(include=set(HEADER))
        yield "\t".join(" ".join(str(fields[name]).split()) for name in HEADER) + "\n"
