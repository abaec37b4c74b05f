"""The official test sets, file by file, and their text: what training data must not overlap with."""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from build_tools.data.foreign import require_sha256
from medlora_edge.bench.library import official_test_ids


@dataclass(frozen=True)
class TestSet:
    """A file below the folder of test sets, with the SHA-256 that it must have."""

    __test__ = False  # not a test of ours, whatever pytest thinks of the name

    name: str
    file: str
    sha256: str


TEST_SETS = (
    TestSet(
        "PubMedQA test",
        "pubmedqa/ori_pqal.json.gz",
        "1c72ded3ab98903c21d4e0baaa3ba55ccfaceb237bf5e025904d61d6e3261df4",
    ),
    TestSet(
        "MedQA US test, 4 options",
        "medqa/medqa_us_4opt_test.jsonl.gz",
        "2955889626391d78134a0b5a6f19ab50cac0b79ab2b3232e09cdf8b78a8f91e4",
    ),
    TestSet(
        "MedQA US test, 5 options",
        "medqa/medqa_us_5opt_test.jsonl.gz",
        "44d231388550ca0105f8da7cd3e6a799a38499ccbb6bea73ea5db91804bedeea",
    ),
    TestSet(
        "MedMCQA dev",
        "medmcqa/medmcqa_dev.jsonl.gz",
        "c26fcbe614b40ce6e4ffb4eac614de2ca0b63e36cbb36589572aab85a995683f",
    ),
    TestSet(
        "MMLU medical test",
        "mmlu_medical/mmlu_medical_test.jsonl.gz",
        "4347d7df8e99dcaedb89b7107f578da4a091550c0ed7cf4c8c9ea38815a5f848",
    ),
    TestSet(
        "MIRAGE",
        "mirage/benchmark.json.gz",
        "fb3779c0630334be3513f76786dc8fcfcf15a978af205bd5061b771c412a01af",
    ),
)


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Name of the set and text, for every question, option, context and conclusion of the sets below `folder`.

    Raises UsageError for a set that is missing, CorruptError (exit 3) for one that is not the official file.
    """
    for test_set in TEST_SETS:
        path = folder / test_set.file
        require_sha256(path, test_set.sha256)
        content = gzip.decompress(path.read_bytes())
        for text in _texts(test_set.file, content):
            yield test_set.name, text


def _texts(file: str, content: bytes) -> Iterable[str]:
    if file.startswith("pubmedqa/"):
        records = json.loads(content)
        return (text for id_ in official_test_ids() for text in _abstract(records[id_]))
    if file.endswith(".json.gz"):
        items = (record for part in json.loads(content).values() for record in part.values())
    else:
        items = (json.loads(line) for line in content.splitlines())
    return (text for item in items for text in (item["question"], *item["options"].values()))


def _abstract(record: Mapping[str, Any]) -> tuple[str, ...]:
    return (record["QUESTION"], *record["CONTEXTS"], record["LONG_ANSWER"])
