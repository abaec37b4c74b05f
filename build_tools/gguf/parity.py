"""The same model in two forms gives the same answers: F16 GGUF and Hugging Face, hot-loaded adapter and merged."""

from collections.abc import Sequence
from pathlib import Path

from build_tools.data.rows import Row
from build_tools.gates.report import GateReport, Measure
from build_tools.gguf.difference import Difference, difference
from build_tools.gguf.logits import llama_cpp, transformers
from build_tools.gguf.places import evenly, longest
from build_tools.recipe.schema import F16Gate


def f16_parity(model: Path, gguf: Path, rows: Sequence[Row], gate: F16Gate) -> GateReport:
    """The F16 GGUF in llama.cpp against the folder it was converted from, in transformers.

    What differs here was lost by the conversion, not by quantising. Raises UsageError for rows without tokens,
    CorruptError when llama.cpp cannot load the file.
    """
    places = evenly(rows, gate.positions)
    with llama_cpp(gguf, longest=longest(places)) as converted:
        return _report("F16 GGUF", difference(transformers(model), converted, places), gate)


def adapter_parity(base: Path, adapter: Path, merged: Path, rows: Sequence[Row], gate: F16Gate) -> GateReport:
    """The adapter GGUF loaded over the base's F16 GGUF against the merged model's F16 GGUF; errors as `f16_parity`."""
    places = evenly(rows, gate.positions)
    size = longest(places)
    with llama_cpp(merged, longest=size) as whole, llama_cpp(base, longest=size, adapters=[adapter]) as hot:
        return _report("adapter GGUF", difference(whole, hot, places), gate)


def _report(hop: str, found: Difference, gate: F16Gate) -> GateReport:
    return GateReport(
        hop=hop,
        measures=(
            Measure(name="positions", value=found.kl.size, limit=gate.positions, side="at least"),
            Measure(name="mean KL (nats)", value=found.mean_kl, limit=gate.mean_kl, side="at most"),
            Measure(name="top-1 agreement", value=found.agreement, limit=gate.top1_agreement, side="at least"),
        ),
    )
