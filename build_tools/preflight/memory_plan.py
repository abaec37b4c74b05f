"""How much memory a training stage takes at its highest, part by part, and what would make it smaller.

Weights, adapter, gradients and optimiser state are counted exactly; `activations` come from running the model on
tensors without content; the loss is that of `training/head.py` on a CPU and TRL's elsewhere, which both compute some
logits at a time and never keep them. Not counted: pages of the weight files that are mapped while loading, which the
system takes back; and on a CPU, kernels that oneDNN keeps for rows of other lengths (`keep_few_kernels` in training).

On a CPU, the C library keeps part of what was freed, more so where layers are computed again: HELD. Plan over measured
peak of resident memory (torch 2.13 on 1 thread, glibc; 3 steps of real training on full rows of two documents, from
4 bits, rank 16 on all linear layers, dropout 0.05, where nothing else is said):
hidden 256, 2 layers, 1,024 pieces: 0.98 at 1 x 64 tokens, 0.93 at 4 x 1024, 0.88 at 8 x 512;
hidden 256, 6 layers, 8,192 pieces: 0.95 at 4 x 1024; all weights, bf16 products, 8 x 1024: 0.94, recomputed 0.95;
hidden 1024, 8 layers, 8,192 pieces: 1.14 at 1 x 512, 1.00 at 2 x 1024, recomputed 0.97; from 16 bits 1.11; all weights
in fp32 1.23, with bf16 products 1.06;
hidden 512, 4 layers, 32,768 pieces: 1.10 at 1 x 1024, 0.99 at 4 x 1024, recomputed 1.10; all weights in fp32 1.17.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from build_tools.bases.architectures import plain_head
from build_tools.bases.counts import Matrix, Skeleton, adapted
from build_tools.preflight.activations import Stage, activations, mixed_precision
from build_tools.recipe.schema import Adapter
from medlora_edge.models.units import MIB

Device = Literal["cpu", "cuda"]

FLOAT, HALF = 4, 2
PROGRAM = {"cpu": 560 * MIB, "cuda": 600 * MIB}  # Python and its libraries; on CUDA what the driver takes of the card

# What the allocator has taken from the system over what a step holds at its highest. Where layers are computed again,
# what the forward pass, the loss and a layer leave behind on a CPU does not fit the others' needs.
HELD = {"cpu": 1.4, "cuda": 1.05}
HELD_RECOMPUTING = 1.65

# NF4 with double quantisation: half a byte a weight, a byte of scale for 64 of them, a float for 256 scales.
NF4_BYTES = 0.5 + 1 / 64 + FLOAT / (64 * 256)

# 8-bit AdamW: two moments of a byte, and for 256 numbers a float each; small tensors keep floats.
SMALLEST_8_BIT = 4096
ADAM_8_BIT_BYTES = 2 * (1 + FLOAT / 256)
ADAM_BYTES = 2 * FLOAT

# `training/head.py`: logits of so many tokens at once, all pieces; its backward pass holds the logarithms of the
# probabilities, their gradient and that of the logits.
HEAD_TOKENS = 1024
HEAD_BYTES = 3 * FLOAT

# TRL 1.16's loss: logits of so many tokens and pieces at once; beside the tile in the type of the products, the
# backward pass holds seven floats and a bool of each where it runs in PyTorch, none where it is one Triton kernel.
TILE_TOKENS, TILE_PIECES = 4096, 32_768
TILE_BYTES_BESIDE = {"cpu": 7 * FLOAT + 1, "cuda": 0}


@dataclass(frozen=True)
class MemoryPlan:
    """Bytes at the moment when most are taken. On CUDA, `program` is the card's share of it."""

    device: Device
    weights: int
    adapter: int
    gradients: int
    optimiser: int
    activations: int
    logits: int
    program: int

    @property
    def total(self) -> int:
        """All parts together."""
        return sum(self.parts.values())

    @property
    def parts(self) -> dict[str, int]:
        """The parts by name, in the order in which they come into memory."""
        names = ("program", "weights", "adapter", "gradients", "optimiser", "activations", "logits")
        return {name: getattr(self, name) for name in names}


def plan(config: Mapping[str, Any], model: Skeleton, stage: Stage, device: Device) -> MemoryPlan:
    """Plan a stage for rows of full length. Raises what `adapted` and `activations` raise."""
    trained = _trained_tensors(config, model, stage)
    used = activations(config, stage, cuda=device == "cuda")
    logits = _logits(config, stage, device)
    apart = stage.checkpoint_activations and device == "cpu"
    held = HELD_RECOMPUTING if apart else HELD[device]
    blocks = used.kept + used.peak if apart else max(used.kept, used.peak - logits)
    return MemoryPlan(
        device=device,
        weights=_weights(model, stage),
        adapter=0 if stage.adapter == "none" else FLOAT * sum(trained),
        gradients=FLOAT * sum(trained),
        optimiser=sum(_optimiser(size, stage.optimiser.name) for size in trained),
        activations=math.ceil(held * blocks),
        logits=math.ceil(held * logits),
        program=PROGRAM[device],
    )


def _weights(model: Skeleton, stage: Stage) -> int:
    if stage.adapter == "none" or stage.load_bits == 32:
        return FLOAT * model.total
    packed = sum(matrix.size for matrix in model.linear) if stage.load_bits == 4 else 0
    largest = max(matrix.size for matrix in model.linear) if packed else 0  # unpacked while it is multiplied with
    return math.ceil(packed * NF4_BYTES) + HALF * (model.total - packed + largest)


def _trained_tensors(config: Mapping[str, Any], model: Skeleton, stage: Stage) -> list[int]:
    """Sizes of the tensors that get gradients."""
    if isinstance(stage.adapter, Adapter):
        layers: tuple[Matrix, ...] = adapted(config, model, stage.adapter)
        return [stage.adapter.rank * side for layer in layers for side in (layer.columns, layer.rows)]
    return [*(matrix.size for matrix in model.matrices), model.rest]


def _optimiser(size: int, name: str) -> int:
    if name == "adamw_bnb_8bit" and size > SMALLEST_8_BIT:
        return math.ceil(ADAM_8_BIT_BYTES * size)
    return ADAM_BYTES * size


def _logits(config: Mapping[str, Any], stage: Stage, device: Device) -> int:
    """The most logits that there are at once with what the loss makes of them, and the hidden states' part in it."""
    tokens, pieces = stage.batch.micro * stage.max_length, int(config["vocab_size"])
    hidden = tokens * int(config.get("hidden_size") or config["n_embd"]) * FLOAT
    if device == "cpu" and plain_head(config):
        return min(tokens, HEAD_TOKENS) * pieces * HEAD_BYTES + 2 * hidden  # trained tokens' states, their gradient
    exact = (stage.adapter == "none" or stage.load_bits == 32) and not mixed_precision(stage, device == "cuda")
    tile = min(tokens, TILE_TOKENS) * (TILE_PIECES if device == "cuda" else min(pieces, TILE_PIECES))
    return tile * ((FLOAT if exact else HALF) + TILE_BYTES_BESIDE[device]) + hidden
