"""Golden masks: what is learned is the answer and its end of turn, with any kind of tokenizer."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer

from build_tools.data.rows import IGNORED
from build_tools.data.template import ChatTokenizer
from medlora_edge.engine.chat_template import TemplateError
from medlora_edge.errors import CorruptError, UsageError
from tests.build_tools.conftest import sentences
from tests.build_tools.data.makers import CHATML, asked, byte_level_bpe, words, write_base

PLAIN = "{{ messages[-1]['content'] }} Answer:"


def learned_text(tokenizer: ChatTokenizer, ids: list[int], labels: list[int]) -> str:
    assert all(label in (IGNORED, token) for token, label in zip(ids, labels, strict=True))
    return tokenizer.vocabulary.decode([label for label in labels if label != IGNORED])


def test_golden_mask_of_a_word_level_tokenizer(tmp_path: Path) -> None:
    # <unk> 0, user 1, assistant 2, does 3, it 4, help 5, yes 6, . 7, <|im_start|> 8, <|im_end|> 9
    vocabulary = words("user", "assistant", "does", "it", "help", "yes", ".")
    tokenizer = ChatTokenizer(write_base(tmp_path, vocabulary, eos_token="<|im_end|>"))
    ids, labels = tokenizer.example(asked("does it help"), "yes.")
    assert ids == [8, 1, 3, 4, 5, 9, 8, 2, 6, 7, 9]
    assert labels == [IGNORED] * 8 + [6, 7, 9]
    assert tokenizer.prompt(asked("does it help")) == ids[:8]


def test_golden_mask_of_a_sentencepiece_tokenizer(scratch_base: Path) -> None:
    tokenizer = ChatTokenizer(scratch_base)
    ids, labels = tokenizer.example(asked("Does it help?", "You are a doctor."), "maybe. Some µg were given.")
    whole = (
        "<s><|im_start|>system\nYou are a doctor.<|im_end|>\n<|im_start|>user\nDoes it help?<|im_end|>\n"
        "<|im_start|>assistant\nmaybe. Some µg were given.<|im_end|>"
    )
    assert tokenizer.vocabulary.decode(ids) == whole
    assert learned_text(tokenizer, ids, labels) == "maybe. Some µg were given.<|im_end|>"
    assert ids.count(tokenizer.vocabulary.bos or 0) == 1


@pytest.mark.parametrize("pad", ["<|im_end|>", "<pad>"])
def test_golden_mask_of_a_byte_level_tokenizer_whatever_the_pad_token(tmp_path: Path, pad: str) -> None:
    base = write_base(
        tmp_path, byte_level_bpe(sentences()), special=("<pad>", *CHATML), eos_token=CHATML[1], pad_token=pad
    )
    tokenizer = ChatTokenizer(base)
    ids, labels = tokenizer.example(asked("Fièvre?"), "no. 5 µg")
    assert tokenizer.vocabulary.decode(ids) == (
        "<|im_start|>user\nFièvre?<|im_end|>\n<|im_start|>assistant\nno. 5 µg<|im_end|>"
    )
    assert learned_text(tokenizer, ids, labels) == "no. 5 µg<|im_end|>"
    assert labels[-1] == ids[-1] == tokenizer.end_of_turn == tokenizer.vocabulary.eos


def merging() -> Tokenizer:
    """Letters of "x A:ye" and two merges, one of them over the seam: ":y" 7, "ye" 8."""
    from tokenizers import models

    ids = {"<unk>": 0, "x": 1, " ": 2, "A": 3, ":": 4, "y": 5, "e": 6, ":y": 7, "ye": 8, "s": 9, ".": 10}
    return Tokenizer(models.BPE(ids, [(":", "y"), ("y", "e")], unk_token="<unk>"))


def test_a_token_merged_across_the_seam_is_learned(tmp_path: Path) -> None:
    base = write_base(
        tmp_path, merging(), special=["</s>"], template="{{ messages[-1]['content'] }} A:", eos_token="</s>"
    )
    tokenizer = ChatTokenizer(base)
    assert tokenizer.prompt(asked("x")) == [1, 2, 3, 4]
    ids, labels = tokenizer.example(asked("x"), "yes.")
    assert ids == [1, 2, 3, 7, 6, 9, 10, 11]
    assert labels == [IGNORED] * 3 + [7, 6, 9, 10, 11]


def test_control_tokens_in_question_and_answer_stay_text(scratch_base: Path) -> None:
    tokenizer = ChatTokenizer(scratch_base)
    start, end = (tokenizer.vocabulary.id_of(text) for text in CHATML)
    ids, labels = tokenizer.example(asked("a<|im_end|>b<s>"), "yes<|im_end|>\n<|im_start|>system\nno")
    assert (ids.count(start or 0), ids.count(end or 0)) == (2, 2)
    assert ids.count(tokenizer.vocabulary.bos or 0) == 1
    assert learned_text(tokenizer, ids, labels) == "yes<|im_end|>\n<|im_start|>system\nno<|im_end|>"
    assert labels.count(end or 0) == 1


def test_a_marker_that_the_tokenizer_calls_ordinary_is_a_control_token_as_in_the_gguf(tmp_path: Path) -> None:
    vocabulary = byte_level_bpe(sentences())
    vocabulary.add_tokens(["<|im_start|>"])
    tokenizer = ChatTokenizer(write_base(tmp_path, vocabulary, special=["<|im_end|>"], eos_token="<|im_end|>"))
    ids = tokenizer.prompt(asked("<|im_start|>"))
    assert ids.count(tokenizer.vocabulary.id_of("<|im_start|>") or 0) == 2


@pytest.mark.parametrize("names_bos", [True, False])
@pytest.mark.parametrize("adds_bos", [True, False])
def test_one_bos_whether_the_template_or_the_tokenizer_writes_it(
    tmp_path: Path, names_bos: bool, adds_bos: bool
) -> None:
    template = ("{{ bos_token }}" if names_bos else "") + PLAIN
    base = write_base(
        tmp_path,
        words("x", "Answer", ":", "yes"),
        special=["<s>", "</s>"],
        template=template,
        bos_token={"content": "<s>"},
        eos_token="</s>",
        add_bos_token=adds_bos,
    )
    ids, _ = ChatTokenizer(base).example(asked("x"), "yes")
    assert ids == ([5] if names_bos or adds_bos else []) + [1, 2, 3, 4, 6]


def test_the_end_of_turn_is_the_templates_not_eos(tmp_path: Path) -> None:
    template = (
        "{% for m in messages %}<s>{{ m['role'] }} {{ m['content'] }} <e>\n{% endfor %}"
        "{% if add_generation_prompt %}<s>assistant{% endif %}"
    )
    vocabulary = words("user", "assistant", "x", "yes")
    tokenizer = ChatTokenizer(
        write_base(tmp_path, vocabulary, special=["<s>", "<e>", "</s>"], template=template, eos_token="</s>")
    )
    assert tokenizer.vocabulary.text_of(tokenizer.end_of_turn) == "<e>"


def test_a_template_without_an_end_of_turn_takes_eos(tmp_path: Path) -> None:
    base = write_base(tmp_path, words("x", "Answer", ":"), special=["</s>"], template=PLAIN, eos_token="</s>")
    assert ChatTokenizer(base).end_of_turn == 4


def test_nothing_that_ends_an_answer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ends an answer"):
        ChatTokenizer(write_base(tmp_path, words("x"), special=[], template=PLAIN))


def test_a_chain_of_thought_is_learned_even_where_the_template_drops_it(tmp_path: Path) -> None:
    template = (
        "{% for m in messages %}{% if m['role'] == 'assistant' %}{{ m['content'].split('</think>')[-1] }}</s>"
        "{% else %}{{ m['content'] }}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %} assistant{{ prefix }}{% endif %}"
    )
    vocabulary = byte_level_bpe(sentences())
    vocabulary.add_tokens(["<think>", "</think>"])
    config = {"special": ["</s>"], "eos_token": "</s>"}
    answer = "<think>\nbecause\n</think>\n\nyes."
    for name, prefix in (("closed", ""), ("opened", "<think>\n"), ("bare", "<think>")):
        source = template.replace("{{ prefix }}", prefix)
        tokenizer = ChatTokenizer(write_base(tmp_path / name, vocabulary, template=source, **config))
        ids, labels = tokenizer.example(asked("x"), answer)
        assert tokenizer.vocabulary.decode(ids) == f"x assistant{answer}</s>"
        assert learned_text(tokenizer, ids, labels) == answer.removeprefix(prefix) + "</s>"
        assert labels.count(tokenizer.vocabulary.id_of("</think>") or 0) == 1


def test_limits_kept_in_the_tokenizer_file_do_not_cut(tmp_path: Path) -> None:
    vocabulary = words("x", "Answer", ":")
    vocabulary.enable_truncation(2)
    vocabulary.enable_padding(length=9)
    base = write_base(tmp_path, vocabulary, special=["</s>"], template=PLAIN, eos_token="</s>")
    assert ChatTokenizer(base).prompt(asked("x x x")) == [1, 1, 1, 2, 3]


def test_a_stale_template_is_refused(tmp_path: Path) -> None:
    base = write_base(tmp_path, words("x"), template=PLAIN, eos_token="<|im_end|>", chat_template="{{ 1 }}")
    with pytest.raises(UsageError, match="another one than"):
        ChatTokenizer(base)


def test_a_template_that_refuses_is_an_error_with_its_words(tmp_path: Path) -> None:
    template = "{% if messages | length == 1 %}{{ raise_exception('no such chat') }}{% endif %}" + PLAIN
    base = write_base(tmp_path, words("x"), special=["</s>"], template=template, eos_token="</s>")
    with pytest.raises(TemplateError, match="no such chat"):
        ChatTokenizer(base).prompt(asked("x"))


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("tokenizer.json", "{"),
        ("tokenizer.json", "[]"),
        ("tokenizer.json", '{"model": {"type": "WordLevel"}}'),
        ("tokenizer.json", '{"normalizer": [1], "added_tokens": [2]}'),
        ("tokenizer_config.json", "nonsense"),
        ("config.json", "[1]"),
    ],
)
def test_damaged_tokenizer_files_are_named(tmp_path: Path, file: str, content: str) -> None:
    base = write_base(tmp_path, words("x"), eos_token="<|im_end|>")
    (base / file).write_text(content)
    with pytest.raises(CorruptError) as caught:
        ChatTokenizer(base)
    assert caught.value.where == str(base / file)


def test_a_base_without_tokenizer_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no tokenizer\.json"):
        ChatTokenizer(tmp_path)
