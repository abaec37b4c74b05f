"""An adapter belongs to one base and to the earlier adapters it was trained on top of; nothing of that may be left out.

The mistake this refuses: training in stages, each on top of the last, and then merging only the last adapter onto the
original base. The result loads, answers, and has lost every earlier stage.
"""

from collections.abc import Sequence
from pathlib import Path

from build_tools.bases import origin
from build_tools.manifest import sha256_of_folder
from medlora_edge.errors import CorruptError, UsageError


def require_base(adapter: Path, base: Path) -> None:
    """Raise CorruptError unless `adapter` was trained on exactly this base folder."""
    recorded = origin.read(adapter).base_sha256
    found = sha256_of_folder(base)
    if found != recorded:
        raise CorruptError(
            f"the adapter was trained on a base with SHA-256 {recorded[:12]}..., this one has {found[:12]}...",
            where=f"{adapter} on {base}",
            fix="name the base it was trained on: after a merged stage, the folder that the stage was merged into",
        )


def require_line(adapters: Sequence[Path]) -> None:
    """Raise CorruptError unless each adapter was trained on top of all those before it, in this order, and no other."""
    before: tuple[str, ...] = ()
    for adapter in adapters:
        recorded = origin.read(adapter).adapters
        if recorded != before:
            raise CorruptError(
                f"the adapter was trained on top of {_said(recorded)}, and here it comes after {_said(before)}",
                where=str(adapter),
                fix="give all adapters of the run, oldest first: without the earlier ones their training is lost",
            )
        before += (sha256_of_folder(adapter),)


def require_4bit(adapters: Sequence[Path]) -> None:
    """Raise UsageError unless the last adapter saw its base in 4 bits: else there is nothing to dequantise."""
    bits = origin.read(adapters[-1]).load_bits
    if bits != 4:
        raise UsageError(
            f"the adapter was trained on its base in {bits} bits, so there is no dequantised base to merge onto",
            where=str(adapters[-1]),
            fix="merge onto the full base",
        )


def _said(hashes: Sequence[str]) -> str:
    if not hashes:
        return "no other adapter"
    return "the adapters " + ", ".join(f"{digest[:12]}..." for digest in hashes)
