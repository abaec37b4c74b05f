"""A tiny model that has learned something, a fine-tune of it, and the rows that show both."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from shutil import copyfile
from typing import Any

import gguf
import numpy as np

from build_tools.data.rows import Row, document
from build_tools.data.template import ChatTokenizer
from medlora_edge.engine.protocol import Message, Role

DRUGS = ("aspirin", "heparin", "insulin", "codeine", "statins", "lithium", "digoxin", "warfarin", "zinc", "oxygen")
ILLS = ("pain", "fever", "sepsis", "asthma", "gout", "anaemia", "stroke", "migraine")
NO = "no. There is no trial of {0}; ask for {1} later."
LENGTH = 64


def chats() -> list[tuple[Message, ...]]:
    """Eighty questions."""
    asked = (f"Does {drug} help in {ill}?" for drug, ill in itertools.product(DRUGS, ILLS))
    return [(Message(role=Role.USER, content=question),) for question in asked]


def rows(base: Path, answer: str) -> list[Row]:
    """All questions with one and the same manner of answering."""
    tokenizer = ChatTokenizer(base)
    return [
        document(str(number), *tokenizer.example(chat, answer.format(*chat[-1].content.rstrip("?").split()[1::3])))
        for number, chat in enumerate(chats())
    ]


def learn(model: Any, learned: Sequence[Row], *, steps: int) -> None:
    """Train all weights that want a gradient, eight rows a step."""
    import torch

    torch.manual_seed(0)
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=3e-3)
    model.train()
    for step in range(steps):
        batch = [learned[number] for number in np.random.default_rng(step).integers(0, len(learned), 8)]
        ids, labels = _padded(batch)
        loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    model.eval()


def save(model: Any, folder: Path, tokenizer: Path) -> Path:
    """Save weights, and the tokenizer files of another folder as they are."""
    model.save_pretrained(folder)
    for file in tokenizer.iterdir():
        if file.name.startswith("token") or file.suffix == ".jinja":
            copyfile(file, folder / file.name)
    return folder


def _padded(batch: Sequence[Row]) -> tuple[Any, Any]:
    import torch

    ids, labels = torch.full((len(batch), LENGTH), 3), torch.full((len(batch), LENGTH), -100)
    for row, line in enumerate(batch):
        size = min(LENGTH, len(line.input_ids))
        ids[row, :size] = torch.from_numpy(line.input_ids[:size].astype(np.int64))
        labels[row, :size] = torch.from_numpy(line.labels[:size].astype(np.int64))
    return ids, labels


def patch(source: Path, out: Path, change: Callable[[str, Any], None]) -> Path:
    """Copy a GGUF and let `change` alter its tensors' numbers in place, by name."""
    copyfile(source, out)
    reader = gguf.GGUFReader(out, "r+")
    for tensor in reader.tensors:
        change(tensor.name, tensor.data)
    reader.data.flush()
    return out
