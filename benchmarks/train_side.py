"""One side of the training measurement: a few QLoRA steps, ours or by TRL's own pipeline, in a process of its own.

    python -m benchmarks.train_side ours|trl BASE STAGE_JSON

Both sides see the same rows of tokens, without padding, in batches of the same size, with the same adapter and
optimiser. TRL loads, prepares, collates and casts as it does by itself; only what ours does not do is switched off:
checkpointing of activations, telemetry, progress bars.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.companion import serve
from build_tools.bases.quiet import quiet
from build_tools.data.rows import IGNORED, Row, Rows
from build_tools.recipe.schema import ChatStage
from build_tools.training.train import train
from build_tools.training.watcher import Progress, Silent

SPECIAL = 5  # token ids below it are no text
PIECES = 900  # the tokenizer of the measured base has at least as many


class Clock(Silent):
    """Times at which steps ended."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def step(self, progress: Progress) -> None:  # noqa: ARG002 - only when it comes matters
        """Take the time."""
        self.ends.append(time.perf_counter())


def rows(stage: ChatStage) -> Sequence[Row]:
    """Random tokens in rows of full length; everything but the first token is learned."""
    import numpy as np

    def row(number: int) -> Row:
        tokens = np.random.default_rng(number).integers(SPECIAL, PIECES, stage.max_length).astype(np.int32)
        labels = tokens.copy()
        labels[0] = IGNORED
        return Row((str(number),), tokens, labels, (stage.max_length,))

    return [row(number) for number in range((stage.steps or 1) * stage.batch.micro)]


def by_us(base: Path, stage: ChatStage) -> dict[str, Any]:
    """Train as `medlora-build train` does."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as out:
        data = Rows(tuple(rows(stage)), ())
        trained = train(stage, data, base=base, adapters=(), out=Path(out), seed=0, watcher=clock)
    return {"ends": clock.ends, "peak_bytes": trained.peak_bytes}


def by_trl(base: Path, stage: ChatStage) -> dict[str, Any]:
    """Train as TRL's documentation shows it: a path, a quantisation, an adapter, a data set."""
    from datasets import Dataset, disable_progress_bars
    from transformers import PrinterCallback, TrainerCallback
    from trl import SFTTrainer

    disable_progress_bars()

    class Ends(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            clock.ends.append(time.perf_counter())

    clock = Clock()
    with tempfile.TemporaryDirectory() as out:
        loop = SFTTrainer(
            model=str(base),
            args=_arguments(stage, out),
            train_dataset=Dataset.from_dict({"input_ids": [row.input_ids.tolist() for row in rows(stage)]}),
            quantization_config=_nf4(),
            peft_config=_lora(stage),
            callbacks=[Ends()],
        )
        loop.remove_callback(PrinterCallback)
        loop.train()
    return {"ends": clock.ends}


def _arguments(stage: ChatStage, out: str) -> Any:
    from trl import SFTConfig

    return SFTConfig(
        output_dir=out,
        per_device_train_batch_size=stage.batch.micro,
        gradient_accumulation_steps=stage.batch.accumulation,
        max_steps=stage.steps or 1,
        learning_rate=stage.optimiser.learning_rate,
        optim=stage.optimiser.name,
        max_length=stage.max_length,
        activation_checkpointing=False,
        use_cpu=True,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


def _nf4() -> Any:
    import torch
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=torch.bfloat16,
        bnb_4bit_use_double_quant=True,
    )


def _lora(stage: ChatStage) -> Any:
    from peft import LoraConfig

    adapter = stage.adapter
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=adapter.rank,
        lora_alpha=adapter.alpha,
        lora_dropout=adapter.dropout,
        target_modules=adapter.target_modules,
    )


SIDES = {"ours": by_us, "trl": by_trl}


def main() -> None:
    """Serve requests from standard input."""
    os.environ.update(HF_HUB_OFFLINE="1", TRL_EXPERIMENTAL_SILENCE="1")
    side, base, stage = SIDES[sys.argv[1]], Path(sys.argv[2]), ChatStage.model_validate(json.loads(sys.argv[3]))

    def answer(_: dict[str, Any]) -> dict[str, Any]:
        with quiet():
            return side(base, stage)

    serve(answer)


if __name__ == "__main__":
    main()
