"""Official test items must not be trained on: they are known by the hashes of their questions.

    python -m build_tools.data.leaks SHARED_DATA

writes the list anew from the public data sets: PubMedQA's 500 test items, the MedQA US test, the MedMCQA dev split (its
test answers are not public, so results are reported on it), the MMLU test of the medical subjects, and MIRAGE.
"""

import gzip
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from build_tools.data.documents import Document, LeftOut, Passage, normalised
from medlora_edge.bench.library import official_test_ids
from medlora_edge.errors import DataRuleError
from medlora_edge.tasks import Question, split_options

DIGITS = 12  # hex digits of a SHA-256: a million innocent questions meet one by chance with probability 3e-5
SHORT = 8  # words
_LEAD = re.compile(r"\A\s*(?:question|q):", re.IGNORECASE)
_LONGEST = 20_000  # characters; no test question, options and all, comes near
_SHOWN = 5
_PER_LINE = 9
_LIST = "test_questions.json"


def refuse(entries: Iterable[Document | LeftOut]) -> None:
    """Raise DataRuleError (exit 6) naming the records that are official test items.

    Compared is the whole question or text, and each line of a text, with and without lettered options behind it; a
    leading "Question:" or "Q:" is passed over. A line of at most SHORT words proves nothing.
    """
    documents = (entry for entry in entries if not isinstance(entry, LeftOut))
    found = [(document.where, name) for document in documents if (name := _test_set(document))]
    if not found:
        return
    shown = "; ".join(f"{where} ({name})" for where, name in found[:_SHOWN])
    more = f"; and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
    raise DataRuleError(
        f"{len(found):,} official test {'item' if len(found) == 1 else 'items'} in the training data",
        where=shown + more,
        fix="remove these records; a model that has seen them cannot be measured",
    )


def test_set_of(question: str, options: Iterable[str] = ()) -> str | None:
    """Name of the data set whose official test part has this question, or None."""
    return _known().get(fingerprint(question, options))


def fingerprint(question: str, options: Iterable[str] = ()) -> str:
    """What the list holds of a question: the first hex digits of the SHA-256 of its words.

    A few words ("Which of the following is true?") are asked again and again, so that options, in any order, belong to
    a question of at most SHORT words, where there are any.
    """
    words = normalised(question)
    if words.count(" ") < SHORT:
        words = " | ".join((words, *sorted(map(normalised, options))))
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]


def _test_set(document: Document) -> str | None:
    found = _set_of(document.asked, document.options)
    if found or not isinstance(document, Passage):
        return found
    lines = (line for line in document.text.splitlines() if len(line.split()) > SHORT)
    return next(filter(None, map(_set_of, lines)), None)


def _set_of(text: str, options: Iterable[str] = ()) -> str | None:
    if len(text) > _LONGEST:
        return None
    asked = _LEAD.sub("", text)
    pasted = split_options(Question("", asked))
    found = test_set_of(asked, options)
    return found or (test_set_of(pasted.question, pasted.options.values()) if pasted.options else None)


@cache
def _known() -> Mapping[str, str]:
    content = json.loads(resources.files(__package__).joinpath(_LIST).read_text(encoding="utf-8"))
    return {digest: name for name, lines in content["sets"].items() for line in lines for digest in line.split()}


def make(shared_data: Path) -> str:
    """The list's text. A question that several sets hold stands under the first."""
    seen: set[str] = set()
    sets: dict[str, list[str]] = {}
    for name, items in _official(shared_data):
        found = {fingerprint(question, some) for question, options in items for some in ((), options)}
        new = sorted(found - seen)
        seen.update(new)
        sets[name] = [" ".join(new[start : start + _PER_LINE]) for start in range(0, len(new), _PER_LINE)]
    what = f"first {DIGITS} hex digits of the SHA-256 of normalised test questions; made by build_tools.data.leaks"
    return json.dumps({"source": what, "sets": sets}, indent=0) + "\n"


def _official(shared_data: Path) -> Iterator[tuple[str, Iterator[tuple[str, Iterable[str]]]]]:
    """Each set's questions with their options."""
    yield "PubMedQA test", _pubmedqa(shared_data / "pubmedqa" / "ori_pqal.json.gz")
    yield "MedQA US test, 4 options", _json_lines(shared_data / "medqa" / "medqa_us_4opt_test.jsonl.gz")
    yield "MedQA US test, 5 options", _json_lines(shared_data / "medqa" / "medqa_us_5opt_test.jsonl.gz")
    yield "MedMCQA dev", _json_lines(shared_data / "medmcqa" / "medmcqa_dev.jsonl.gz")
    yield "MMLU medical test", _json_lines(shared_data / "mmlu_medical" / "mmlu_medical_test.jsonl.gz")
    yield "MIRAGE", _mirage(shared_data / "mirage" / "benchmark.json.gz")


def _pubmedqa(path: Path) -> Iterator[tuple[str, Iterable[str]]]:
    records = json.loads(gzip.decompress(path.read_bytes()))
    return ((records[id_]["QUESTION"], ()) for id_ in official_test_ids())


def _json_lines(path: Path) -> Iterator[tuple[str, Iterable[str]]]:
    return (_item(json.loads(line)) for line in gzip.decompress(path.read_bytes()).splitlines())


def _mirage(path: Path) -> Iterator[tuple[str, Iterable[str]]]:
    parts = json.loads(gzip.decompress(path.read_bytes()))
    return (_item(record) for part in parts.values() for record in part.values())


def _item(record: Mapping[str, Any]) -> tuple[str, Iterable[str]]:
    return record["question"], record["options"].values()


if __name__ == "__main__":
    Path(__file__).with_name(_LIST).write_text(make(Path(sys.argv[1])), encoding="utf-8")
