"""Merge, export and quantise: two candidates from one training, and the one with the lower held-out loss."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from build_tools.data.rows import Row, load
from build_tools.gates.report import require
from build_tools.gguf.converter import convert
from build_tools.gguf.identity import check as check_identity
from build_tools.gguf.parity import f16_parity
from build_tools.gguf.probes import probes
from build_tools.gguf.quality import held_out_loss
from build_tools.gguf.quantise import histogram
from build_tools.gguf.quantise import quantise as quantise_file
from build_tools.merging.merge import merge as merge_adapters
from build_tools.merging.parity import parity
from build_tools.pipeline.chain import Chain, Lineage
from build_tools.pipeline.lineage import gguf_name
from build_tools.pipeline.step import Artefact, Outcome

Onto = Literal["full", "dequantised"]

MERGING = ("torch", "transformers", "peft", "bitsandbytes")
EXPORT = ("torch", "transformers", "gguf", "llama-cpp-python")
QUANTISING = ("llama-cpp-python",)
F16 = "f16.gguf"


@dataclass(frozen=True)
class Candidate:
    """One way to the result: its F16 GGUF, the quantised one, and that one's loss on the held-out rows.

    `loss`: mean nats a trained token.
    """

    name: str
    f16: Artefact
    quantised: Artefact
    loss: float


def held_out(rows: Path) -> Sequence[Row]:
    """Held-out rows of a data step. Raises CorruptError."""
    return load(rows).held_out


def ways(chain: Chain, lineage: Lineage) -> tuple[Onto, ...]:
    """What the last adapters are merged onto: both bases where training saw a 4-bit one."""
    return ("full", "dequantised") if lineage.adapters and chain.recipe.stages[-1].load_bits == 4 else ("full",)


def merge(chain: Chain, stage: str, lineage: Lineage, rows: Artefact, onto: Onto) -> Artefact:
    """Merge the open adapters onto the 16-bit or the dequantised base, and measure that nothing was lost.

    Without adapters the weights are merged already. Raises GateError (exit 5), CorruptError (exit 3).
    """
    if not lineage.adapters:
        return lineage.base
    gate = chain.recipe.gates.merge
    record = chain.do(
        f"merged/{stage}-{onto}",
        partial(_merge, chain, lineage, rows.path, onto),
        inputs=(lineage.base, *lineage.adapters, rows),
        part={"onto": onto, "gate": gate.model_dump(mode="json")},
        libraries=MERGING,
    )
    return chain.output(record)


def _merge(chain: Chain, lineage: Lineage, rows: Path, onto: Onto, folder: Path) -> Outcome:
    adapters = [adapter.path for adapter in lineage.adapters]
    merge_adapters(lineage.base.path, adapters, folder, onto=onto)
    report = parity(lineage.base.path, adapters, folder, held_out(rows), chain.recipe.gates.merge, onto=onto)
    return Outcome(gates=(require(report, folder),))


def export(chain: Chain, name: str, model: Artefact, rows: Artefact) -> Artefact:
    """Convert a Hugging Face folder to an F16 GGUF that tokenises and computes alike.

    Raises CorruptError (exit 3) for another tokenisation, GateError (exit 5) for other logits.
    """
    record = chain.do(
        f"gguf/{name}-f16",
        partial(_export, chain, model.path, rows.path),
        inputs=(model, rows),
        part=chain.recipe.gates.f16.model_dump(mode="json"),
        libraries=EXPORT,
    )
    return chain.output(record, F16)


def _export(chain: Chain, model: Path, rows: Path, folder: Path) -> Outcome:
    folder.mkdir()
    file = folder / F16
    convert(model, file, name=chain.recipe.name)
    same = require(check_identity(model, file, probes()), file)
    close = require(f16_parity(model, file, held_out(rows), chain.recipe.gates.f16), file)
    return Outcome(gates=(same, close))


def quantise(chain: Chain, name: str, f16: Artefact, rows: Artefact) -> Candidate:
    """Quantise an F16 GGUF as the recipe says, and take its loss on the held-out rows."""
    recipe = chain.recipe
    file = f"{gguf_name(recipe)}.gguf"
    record = chain.do(
        f"gguf/{name}-{recipe.export.type.lower()}",
        partial(_quantise, chain, f16.path, rows.path, file),
        inputs=(f16, rows),
        part={"type": recipe.export.type, "file": file},
        libraries=QUANTISING,
    )
    return Candidate(name, f16, chain.output(record, file), float(str(record.facts["held_out_loss"])))


def _quantise(chain: Chain, f16: Path, rows: Path, file: str, folder: Path) -> Outcome:
    folder.mkdir()
    quantise_file(f16, folder / file, chain.recipe.export.type)
    loss = held_out_loss(folder / file, held_out(rows))
    return Outcome(facts={"held_out_loss": loss, "histogram": dict(histogram(folder / file))})
