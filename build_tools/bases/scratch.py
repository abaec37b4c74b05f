"""Makes a base from nothing: a Llama of random weights with a SentencePiece tokenizer that owns the ChatML tokens."""

import io
import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from build_tools.recipe.schema import Scratch
from medlora_edge.engine import chat_template
from medlora_edge.errors import UsageError
from medlora_edge.files import write_atomic

UNKNOWN, BOS, END_OF_TURN, PAD, START_OF_TURN = SPECIAL_TOKENS = ("<unk>", "<s>", "<|im_end|>", "<pad>", "<|im_start|>")
CHATML = Path(chat_template.__file__).with_name("chatml.jinja")
LONGEST_LINE = 1 << 20  # bytes; SentencePiece leaves out what is longer


def make(scratch: Scratch, text: Iterable[str], folder: Path, *, seed: int) -> None:
    """Write a Hugging Face model folder: float32 weights, tokenizer trained on `text`, ChatML as chat template.

    The same text and seed give the same bytes. A tokenizer with fewer pieces than `scratch.vocabulary`, because
    `text` has no more to merge, leaves the last rows of the embedding unused. `folder` must be new or empty.
    Raises UsageError for text that is too little, or too varied, for that vocabulary.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UsageError("the folder of the new base is not empty", where=str(folder), fix="remove it, or name another")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as workplace:
        made = Path(workplace, "base")
        made.mkdir()
        _write_tokenizer(made, _train_tokenizer(text, scratch.vocabulary), scratch.context)
        _write_weights(made, config(scratch), seed)
        made.replace(folder)


def config(scratch: Scratch) -> dict[str, Any]:
    """The config.json of such a model."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": scratch.vocabulary,
        "hidden_size": scratch.hidden,
        "intermediate_size": scratch.feed_forward,
        "num_hidden_layers": scratch.layers,
        "num_attention_heads": scratch.heads,
        "num_key_value_heads": scratch.kv_heads,
        "max_position_embeddings": scratch.context,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": False,
        "bos_token_id": SPECIAL_TOKENS.index(BOS),
        "eos_token_id": SPECIAL_TOKENS.index(END_OF_TURN),
        "pad_token_id": SPECIAL_TOKENS.index(PAD),
    }


def _train_tokenizer(text: Iterable[str], size: int) -> bytes:
    """SentencePiece model of at most `size` byte-pair pieces with byte fallback and no space put in front of a text.

    The ChatML tokens are control symbols, not user-defined ones: those would leave the converter as normal tokens,
    which llama.cpp never looks for in a prompt.
    """
    import sentencepiece

    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=_lines(text),
            model_writer=model,
            model_type="bpe",
            vocab_size=size,
            hard_vocab_limit=False,
            byte_fallback=True,
            split_digits=True,
            unk_id=SPECIAL_TOKENS.index(UNKNOWN),
            bos_id=SPECIAL_TOKENS.index(BOS),
            eos_id=SPECIAL_TOKENS.index(END_OF_TURN),
            pad_id=SPECIAL_TOKENS.index(PAD),
            eos_piece=END_OF_TURN,
            control_symbols=[START_OF_TURN],
            normalization_rule_name="identity",
            remove_extra_whitespaces=False,
            add_dummy_prefix=False,
            max_sentence_length=LONGEST_LINE,
            num_threads=1,
            minloglevel=2,
        )
    except (RuntimeError, OSError) as error:
        raise UsageError(
            f"no tokenizer of {size} pieces can be trained on this text: {_reason(error)}",
            fix="give the first stage more text, or choose another `vocabulary`",
        ) from error
    return model.getvalue()


def _lines(text: Iterable[str]) -> Iterator[str]:
    return (line for document in text for line in document.splitlines() if line)


def _reason(error: Exception) -> str:
    """SentencePiece's sentence without the place in its source that it begins with."""
    return str(error).strip().rsplit("] ", 1)[-1]


def _write_tokenizer(folder: Path, model: bytes, context: int) -> None:
    """Declare the control symbols a second time, as added tokens: transformers and the converter look there."""
    from transformers import LlamaTokenizer

    write_atomic(folder / "tokenizer.model", model)
    added = {
        str(number): {"content": token, "special": True, "normalized": False, "lstrip": False, "rstrip": False}
        for number, token in enumerate(SPECIAL_TOKENS)
    }
    description = {
        "tokenizer_class": "LlamaTokenizer",
        "added_tokens_decoder": added,
        "unk_token": UNKNOWN,
        "bos_token": BOS,
        "eos_token": END_OF_TURN,
        "pad_token": PAD,
        "add_bos_token": True,
        "add_eos_token": False,
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "legacy": False,
        "model_max_length": context,
    }
    write_atomic(folder / "tokenizer_config.json", json.dumps(description, indent=2).encode() + b"\n")
    write_atomic(folder / "chat_template.jinja", CHATML.read_bytes())
    LlamaTokenizer.from_pretrained(folder).backend_tokenizer.save(str(folder / "tokenizer.json"))


def _write_weights(folder: Path, shape: dict[str, Any], seed: int) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # it would be drawn over the program's own
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(LlamaConfig(**shape))
    model.save_pretrained(folder)
