"""Bases with hand-made tokenizers, data files and stages for the data tests."""

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from tokenizers import AddedToken, Tokenizer

from build_tools.data.rows import IGNORED, Row
from build_tools.recipe.schema import Stage
from medlora_edge.engine.protocol import Message, Role

CHATML = ("<|im_start|>", "<|im_end|>")
_STAGE: TypeAdapter[Any] = TypeAdapter(Stage)


def write_base(
    folder: Path,
    tokenizer: Tokenizer,
    *,
    special: Sequence[str] = CHATML,
    template: str | None = None,
    **config: Any,
) -> Path:
    """A model folder with everything but weights; `special` become control tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in special])
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "config.json").write_text("{}")
    if template is not None:
        (folder / "chat_template.jinja").write_text(template)
    return folder


def byte_level_bpe(text: Iterable[str], size: int = 400) -> Tokenizer:
    """As GPT-2's, trained on `text`."""
    from tokenizers import decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(text, trainer)
    return tokenizer


def words(*vocabulary: str) -> Tokenizer:
    """One token a word, ids in the order given; between words white space that is dropped."""
    from tokenizers import models, pre_tokenizers

    ids = {word: number for number, word in enumerate(["<unk>", *vocabulary])}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


def asked(words_: str, system: str | None = None) -> tuple[Message, ...]:
    turns = (Message(role=Role.USER, content=words_),)
    return (Message(role=Role.SYSTEM, content=system), *turns) if system else turns


def write_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> Path:
    content = "".join(json.dumps(record) + "\n" for record in records).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def choice(question: str, key: str = "A", **more: Any) -> dict[str, Any]:
    options = {"A": "Aspirin", "B": "Rest", "C": "Heparin", "D": "Surgery"}
    return {"question": question, "options": options, "answer_idx": key, **more}


def chat_stage(*data: Mapping[str, Any], **changes: Any) -> Any:
    adapter = {"rank": 8, "alpha": 16, "target_modules": "all-linear"}
    return _stage({"kind": "chat", "data": [*data], "adapter": adapter, **changes})


def completion_stage(*data: Mapping[str, Any], **changes: Any) -> Any:
    return _stage({"kind": "completion", "data": [*data], "adapter": "none", **changes})


def _stage(values: dict[str, Any]) -> Any:
    common = {"name": "s", "optimiser": {"learning_rate": 1e-4}, "epochs": 1.0, "max_length": 512}
    data = [{"licence": "none", **entry} for entry in values["data"]]
    return _STAGE.validate_python({**common, **values, "data": data})


def learned(row: Row) -> list[int]:
    return [int(label) for label in row.labels if label != IGNORED]
