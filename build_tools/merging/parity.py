"""Does the merged model, loaded anew, answer as the adapter did on its own base: the gate of the merge."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from build_tools.bases.exact_compute import in_fp32
from build_tools.bases.loading import load
from build_tools.bases.origin import LoadBits
from build_tools.data.rows import IGNORED, Row
from build_tools.gates.report import GateReport, Measure
from build_tools.merging.merge import Onto
from build_tools.recipe.schema import MergeGate
from medlora_edge.errors import CorruptError, UsageError

POSITIONS = 512  # bounds memory: positions x vocabulary logits are held in fp32
POSITIONS_A_ROW = 64
TIE = 0.05  # nats


@dataclass(frozen=True)
class Probe:
    """One row of token ids and the positions in it at which logits are compared."""

    input_ids: NDArray[np.int32]
    positions: NDArray[np.int64]


def parity(
    base: Path, adapters: Sequence[Path], merged: Path, rows: Sequence[Row], gate: MergeGate, *, onto: Onto
) -> GateReport:
    """Compare next-token logits at held-out positions that training would have trained, in fp32 on stored weights.

    - Largest difference of a logit, over the distance between the highest and the lowest logit of its position.
    - Mean KL(adapter on its base || merged) in nats.
    - Share of positions whose likeliest token is the adapter's, or one that the adapter holds within 0.05 nats of it.
    - Distance from 1 of the merged model's share in the change that the adapter makes to the logits (the slope of the
      least-squares line through 0): unlike the others it does not pass a merge that does nothing for a small adapter.

    Raises UsageError without positions to compare, CorruptError where the merged folder loads to another model.
    """
    probes = tuple(_probes(rows))
    if not probes:
        raise UsageError("no held-out position to compare", fix="hold out more rows: evaluation.share")
    plain, adapted = _adapter_logits(base, adapters, probes, 4 if onto == "dequantised" else "stored")
    merging = _merged_logits(merged, probes)
    return _report(list(zip(plain, adapted, merging, strict=True)), gate, f"merge onto the {onto} base")


def _probes(rows: Sequence[Row]) -> Iterator[Probe]:
    """The last trained positions of each row, where the answer is, until there are enough."""
    left = POSITIONS
    for row in rows:
        positions = np.flatnonzero(row.labels[1:] != IGNORED)[-min(POSITIONS_A_ROW, left) :]
        if left and positions.size:
            left -= positions.size
            yield Probe(row.input_ids, positions)


def _adapter_logits(
    base: Path, adapters: Sequence[Path], probes: Sequence[Probe], bits: LoadBits | Literal["stored"]
) -> tuple[list[Any], list[Any]]:
    """Without and with the adapters."""
    from peft import PeftModel

    names = [str(number) for number in range(len(adapters))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of PEFT about transformers, and about Conv1D, which it sets right itself
        model = PeftModel.from_pretrained(load(base, bits), adapters[0], adapter_name=names[0])
        for name, adapter in zip(names[1:], adapters[1:], strict=True):
            model.load_adapter(adapter, adapter_name=name)
    model.base_model.set_adapter(names, inference_mode=True)
    in_fp32(model)
    with model.disable_adapter():
        plain = _logits(model, probes)
    return plain, _logits(model, probes)


def _merged_logits(merged: Path, probes: Sequence[Probe]) -> list[Any]:
    model = load(merged, "stored")
    head, embeddings = model.get_output_embeddings().weight, model.get_input_embeddings().weight
    if model.config.tie_word_embeddings and head is not embeddings:
        raise CorruptError(
            "the output head should be the token embeddings, and after loading it is not",
            where=str(merged),
            fix="merge again",
        )
    return _logits(in_fp32(model), probes)


def _logits(model: Any, probes: Sequence[Probe]) -> list[Any]:
    """One fp32 tensor (positions, vocabulary) a row, on the CPU."""
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device).eval()
    with torch.inference_mode():
        return [
            model(
                input_ids=torch.from_numpy(probe.input_ids[None].astype(np.int64)).to(device),
                logits_to_keep=torch.from_numpy(probe.positions).to(device),
            )
            .logits[0]
            .float()
            .cpu()
            for probe in probes
        ]


def _report(logits: Sequence[tuple[Any, Any, Any]], gate: MergeGate, hop: str) -> GateReport:
    import torch

    difference, kl, agreement = (
        torch.cat([measure(adapted, merged) for _, adapted, merged in logits])
        for measure in (_difference, _kl, _agreement)
    )
    measures = (
        _at_most("largest difference of a logit", difference.max(), gate.max_difference),
        _at_most("mean KL", kl.mean(), gate.mean_kl),
        Measure(name="top-1 agreement", value=float(agreement.mean()), limit=gate.top1_agreement, side="at least"),
        _at_most("error of the adapter's effect", _effect_error(logits), gate.effect_error),
    )
    return GateReport(hop=hop, measures=measures)


def _at_most(name: str, value: Any, limit: float) -> Measure:
    return Measure(name=name, value=float(value), limit=limit, side="at most")


def _difference(adapted: Any, merged: Any) -> Any:
    spread = adapted.amax(-1) - adapted.amin(-1)
    return (merged - adapted).abs().amax(-1) / spread


def _kl(adapted: Any, merged: Any) -> Any:
    p, q = adapted.double().log_softmax(-1), merged.double().log_softmax(-1)
    return (p.exp() * (p - q)).sum(-1)


def _agreement(adapted: Any, merged: Any) -> Any:
    chosen = adapted.gather(-1, merged.argmax(-1, keepdim=True))[:, 0]
    return (chosen >= adapted.amax(-1) - TIE).double()


def _effect_error(logits: Sequence[tuple[Any, Any, Any]]) -> float:
    shared = whole = 0.0
    for plain, adapted, merged in logits:
        effect = (adapted - plain).double()
        shared += float((effect * (merged - plain)).sum())
        whole += float((effect * effect).sum())
    return abs(shared / whole - 1) if whole else 0.0
