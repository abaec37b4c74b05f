"""Journal lines, cards and data files made by hand for the tests."""

import json
from pathlib import Path
from typing import Any

from medlora_edge.bench.kinds import Mode, Origin, Split
from medlora_edge.bench.schema import (
    Card,
    DataCard,
    Label,
    Machine,
    ModelCard,
    Resolved,
    RunSettings,
    Sample,
)


def sample(id_: str, gold: Label, strict: Label | None, lenient: Label | None = None, **more: Any) -> Sample:
    return Sample(id=id_, prompt_sha256="00", gold=gold, strict_label=strict, lenient_label=lenient or strict, **more)


def card(*, data_sha256: str = "d" * 64, n_items: int = 3, **changes: Any) -> Card:
    model = ModelCard(
        name="toy",
        sha256="a" * 64,
        description="llama 1M Q3_K - Large",
        architecture="llama",
        quantisation="Q3_K_L",
        size_bytes=1,
        n_params=1,
        n_ctx_train=4096,
        template_sha256="b" * 64,
        template_source="model",
        untrained=False,
        demonstration=False,
    )
    resolved = Resolved(
        parallel=1,
        threads=2,
        n_ctx=1024,
        n_batch=512,
        n_ubatch=512,
        gpu_offload=False,
        sequence_limit=4096,
    )
    whole = Card(
        run_id="c" * 64,
        settings=RunSettings(mode=Mode.GENERATE, split=Split.TEST),
        resolved=resolved,
        model=model,
        data=DataCard(
            name="PubMedQA",
            origin=Origin.OWN,
            sha256=data_sha256,
            n_records=n_items,
            n_split=n_items,
            n_items=n_items,
        ),
        prompts_sha256="e" * 64,
        reader_version="1",
        software={"llama.cpp": "b1"},
        machine=Machine(cpu="some", cores=2, memory_bytes=1, system="Linux x86_64"),
        started="2026-01-01T00:00:00+00:00",
    )
    return whole.model_copy(update=changes)


def record(label: str = "yes", **changes: Any) -> dict[str, Any]:
    made = {
        "QUESTION": "Does it work?",
        "CONTEXTS": ["It was tried.", "It worked in most."],
        "LABELS": ["METHODS", "RESULTS"],
        "MESHES": [],
        "YEAR": None,
        "LONG_ANSWER": "It seems so.",
        "final_decision": label,
    }
    return made | changes


def write_records(path: Path, records: dict[str, Any]) -> Path:
    path.write_text(json.dumps(records), encoding="utf-8")
    return path
