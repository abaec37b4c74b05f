"""Overlap of training documents with the official test sets: runs of 13 words, of 8 in texts that have fewer.

The rule is GPT-3's (Brown et al. 2020, appendix C): a run that more than 10 training documents have is a common phrase
and proves nothing. All of a text of 13 words or more is no phrase: what holds it is left out, however many do. The
runs are computed anew from the test sets' own files, whose hashes are known: the 0.4 million of them do not fit a
small list of hashes without dropping a good part of the long documents by chance.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from build_tools.data.documents import Document, normalised

LONG, SHORT = 13, 8  # words
COMMON = 10  # documents


@dataclass(frozen=True)
class Overlap:
    """`found`: place of a document in the sequence to the test set it overlaps with. Counts of runs in the test sets.

    `common` ones were met in so many documents that they were passed over.
    """

    found: Mapping[int, str]
    runs: int
    common: int


class Runs:
    """Runs of words of the test sets, each with the name of its set."""

    def __init__(self, texts: Iterable[tuple[str, str]]) -> None:
        self._names: dict[str, str] = {}
        self._long: list[frozenset[str]] = []  # all runs of a text that has LONG words
        self._heads: set[str] = set()  # their first SHORT words: most places of a text need one look only
        for name, text in texts:
            words = normalised(text).split()
            length = LONG if len(words) >= LONG else SHORT
            runs = frozenset(_runs(words, length))
            if length == LONG:
                self._long.append(runs)
            for run in runs:
                self._names.setdefault(run, name)
                self._heads.add(" ".join(run.split(" ", SHORT)[:SHORT]))

    def __len__(self) -> int:
        return len(self._names)

    def name(self, run: str) -> str:
        """The first test set that has this run."""
        return self._names[run]

    def within(self, texts: Iterable[str]) -> set[str]:
        """Runs that occur in any of the texts."""
        return {run for text in texts for run in self._of(normalised(text).split())}

    def whole(self, common: set[str]) -> Iterable[frozenset[str]]:
        """The runs of each longer test text that has nothing but common ones."""
        return filter(common.issuperset, self._long)

    def _of(self, words: Sequence[str]) -> Iterable[str]:
        for start, head in enumerate(_runs(words, SHORT)):
            if head in self._heads:
                whole = " ".join(words[start : start + LONG])
                yield from (run for run in (head, whole) if run in self._names)


def overlap(documents: Sequence[Document], runs: Runs) -> Overlap:
    """Which documents share a run that is no common phrase."""
    met: dict[str, list[int]] = defaultdict(list)
    for number, document in enumerate(documents):
        for run in runs.within(document.texts):
            met[run].append(number)
    common = {run for run, numbers in met.items() if len(numbers) > COMMON}
    found = {number: runs.name(run) for run in sorted(met.keys() - common) for number in met[run]}
    for text in runs.whole(common):
        holders = set.intersection(*(set(met[run]) for run in text))
        found |= {number: runs.name(min(text)) for number in holders - found.keys()}
    return Overlap(found, len(runs), len(common))


def _runs(words: Sequence[str], length: int) -> Iterable[str]:
    return (" ".join(words[start : start + length]) for start in range(len(words) - length + 1))
