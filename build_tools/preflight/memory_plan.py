"""How much memory a training stage takes at its highest, part by part, and what would make it smaller.

Weights, adapter, gradients and optimiser state are counted exactly; `activations` come from running the model on
tensors without content; the loss is TRL's, which computes the logits in tiles and never keeps them. Not counted: pages
of the weight files that are mapped while loading, which the system takes back.

On a CPU, the C library keeps part of what was freed, more so where layers are computed again: HELD. Plan over measured
peak of resident memory (torch 2.13 on 2 threads, glibc; 3 steps of real training from 4 bits, rank 16 on all linear
layers, dropout 0.05, two documents a row): hidden 256, 2 layers: 0.99 at 1 x 64 tokens, 0.93 at 4 x 1024; hidden
1024, 8 layers, 8,192 pieces: 1.13 at 1 x 512, 1.09 at 2 x 1024, 0.91 with checkpointing; from 16 bits 1.15; all
weights in fp32 1.14, with bf16 products 0.96.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from build_tools.bases.counts import Matrix, Skeleton, adapted
from build_tools.preflight.activations import Stage, activations, mixed_precision
from build_tools.recipe.schema import Adapter
from medlora_edge.models.units import MIB

Device = Literal["cpu", "cuda"]

FLOAT, HALF = 4, 2
PROGRAM = {"cpu": 560 * MIB, "cuda": 600 * MIB}  # Python and its libraries; on CUDA what the driver takes of the card

# What the allocator has taken from the system over what a step holds at its highest.
HELD = {"cpu": 1.4, "cuda": 1.05}
HELD_RECOMPUTING = {"cpu": 1.8, "cuda": 1.05}

# NF4 with double quantisation: half a byte a weight, a byte of scale for 64 of them, a float for 256 scales.
NF4_BYTES = 0.5 + 1 / 64 + FLOAT / (64 * 256)

# 8-bit AdamW: two moments of a byte, and for 256 numbers a float each; small tensors keep floats.
SMALLEST_8_BIT = 4096
ADAM_8_BIT_BYTES = 2 * (1 + FLOAT / 256)
ADAM_BYTES = 2 * FLOAT

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
    held = (HELD_RECOMPUTING if stage.checkpoint_activations else HELD)[device]
    logits = _logits(config, stage, device)
    return MemoryPlan(
        device=device,
        weights=_weights(model, stage),
        adapter=0 if stage.adapter == "none" else FLOAT * sum(trained),
        gradients=FLOAT * sum(trained),
        optimiser=sum(_optimiser(size, stage.optimiser.name) for size in trained),
        activations=math.ceil(held * max(used.kept, used.peak - logits)),
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
    """The largest tile of logits with its gradient, and the gradient of the hidden states in fp32."""
    tokens = stage.batch.micro * stage.max_length
    exact = (stage.adapter == "none" or stage.load_bits == 32) and not mixed_precision(stage, device == "cuda")
    pieces = TILE_PIECES if device == "cuda" else min(int(config["vocab_size"]), TILE_PIECES)
    tile = min(tokens, TILE_TOKENS) * pieces
    width = int(config.get("hidden_size") or config["n_embd"])
    return tile * ((FLOAT if exact else HALF) + TILE_BYTES_BESIDE[device]) + tokens * width * FLOAT
