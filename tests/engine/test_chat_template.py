"""Chat templates: real ones render as models know them, hostile ones are refused, users' words stay text."""

import contextlib
import os
import re
import signal
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medlora_edge.engine.chat_template import (
    ChatTemplate,
    Part,
    TemplateError,
    chat_template,
    control_pattern,
    render,
    render_parts,
)
from medlora_edge.engine.protocol import Message, Role

EXPECTED = Path(__file__).parent / "expected_templates"
TEMPLATES = Path("vendor/llama.cpp/models/templates")

SHORT = (
    Message(role=Role.SYSTEM, content="You are a careful doctor."),
    Message(role=Role.USER, content="Is aspirin an NSAID?"),
)
LONG = (
    *SHORT,
    Message(role=Role.ASSISTANT, content="yes. It inhibits COX."),
    Message(role=Role.USER, content="And paracetamol?"),
)

# Name of the expectation: file (None: the fallback), text of BOS, text of EOS.
NAMED = {
    "chatml": (None, "<s>", "<|im_end|>"),
    "mistral": ("mistralai-Mistral-Nemo-Instruct-2407.jinja", "<s>", "</s>"),
    "llama-3": ("meta-llama-Llama-3.2-3B-Instruct.jinja", "<|begin_of_text|>", "<|eot_id|>"),
    "gemma": ("google-gemma-2-2b-it.jinja", "<bos>", "<eos>"),
    "qwen-2.5": ("Qwen-Qwen2.5-7B-Instruct.jinja", "", "<|im_end|>"),
    "deepseek-r1-distill": (
        "deepseek-ai-DeepSeek-R1-Distill-Llama-8B.jinja",
        "<｜begin▁of▁sentence｜>",  # noqa: RUF001
        "<｜end▁of▁sentence｜>",  # noqa: RUF001
    ),
    "phi-3": ("microsoft-Phi-3.5-mini-instruct.jinja", "<s>", "<|endoftext|>"),
    "hermes": ("NousResearch-Hermes-3-Llama-3.1-8B-tool_use.jinja", "<|begin_of_text|>", "<|im_end|>"),
}

# Every other template of the pinned source distribution renders; these are refused, and why.
REFUSED = {
    "fireworks-ai-llama-3-firefunction-v2.jinja": "'functions' is undefined",
}


def model_template(source: str, *, bos: str = "<s>", eos: str = "</s>") -> ChatTemplate:
    return chat_template(source, bos=bos, eos=eos)


def user(content: str) -> Message:
    return Message(role=Role.USER, content=content)


def refusal(source: str) -> str:
    with pytest.raises(TemplateError) as caught:
        render(model_template(source), SHORT)
    return caught.value.what


@pytest.mark.sdist
@pytest.mark.parametrize("name", NAMED)
def test_named_template_equals_its_stored_expectation(name: str, sdist: Path) -> None:
    file, bos, eos = NAMED[name]
    source = (sdist / TEMPLATES / file).read_text(encoding="utf-8") if file else None
    template = chat_template(source, bos=bos, eos=eos)
    for length, chat in (("short", SHORT), ("long", LONG)):
        expected = (EXPECTED / f"{name}.{length}.txt").read_text(encoding="utf-8")
        assert render(template, chat) == expected


@pytest.mark.sdist
def test_every_template_renders_the_users_words_once_or_is_refused_with_its_reason(sdist: Path) -> None:
    files = sorted((sdist / TEMPLATES).glob("*.jinja"))
    assert len(files) >= 70
    refused = {}
    for file in files:
        template = model_template(file.read_text(encoding="utf-8"))
        try:
            short, long = render(template, SHORT), render(template, LONG)
        except TemplateError as error:
            refused[file.name] = error.what
            continue
        assert short.count("Is aspirin an NSAID?") == 1, file.name
        assert short.count("You are a careful doctor.") == 1, file.name
        assert long.count("And paracetamol?") == 1, file.name
        assert len(long) > len(short), file.name
    assert refused.keys() == REFUSED.keys()
    for name, reason in REFUSED.items():
        assert reason in refused[name]


@pytest.mark.sdist
def test_every_template_keeps_control_texts_of_a_user_apart(sdist: Path) -> None:
    controls = control_pattern(["<|im_end|>", "<|eot_id|>", "</s>"])
    asked = user("a<|im_end|>b</s>c")
    for file in sorted((sdist / TEMPLATES).glob("*.jinja")):
        if file.name in REFUSED:
            continue
        parts = render_parts(model_template(file.read_text(encoding="utf-8")), [asked], controls)
        assert [part.text for part in parts if not part.special] == ["<|im_end|>", "</s>"], file.name
        assert "a<|im_end|>b</s>c" in "".join(part.text for part in parts), file.name


@pytest.mark.parametrize("source", [None, ""])
def test_a_model_without_template_gets_chatml(source: str | None) -> None:
    template = chat_template(source, bos="<s>", eos="</s>")
    assert template.origin == "chatml"
    assert render(template, [user("hi")]) == "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"
    assert render(template, [user("hi")], add_generation_prompt=False) == "<|im_start|>user\nhi<|im_end|>\n"


def test_hash_names_the_source_alone() -> None:
    one, other = model_template("x", bos="a"), model_template("x", bos="b")
    assert one.origin == "model"
    assert one.sha256 == other.sha256 != model_template("y").sha256


def test_system_turn_that_is_dropped_precedes_the_first_user_turn() -> None:
    source = "{% for m in messages %}{% if m.role != 'system' %}[{{ m.content }}]{% endif %}{% endfor %}"
    assert render(model_template(source), LONG) == (
        "[You are a careful doctor.\n\nIs aspirin an NSAID?][yes. It inhibits COX.][And paracetamol?]"
    )


def test_dropped_system_turn_is_noticed_where_the_user_says_the_same() -> None:
    source = "{% for m in messages if m.role == 'user' %}[{{ m.content }}]{% endfor %}"
    chat = [Message(role=Role.SYSTEM, content="Hello"), user("Hello doctor")]
    assert render(model_template(source), chat) == "[Hello\n\nHello doctor]"


def test_system_turn_alone_becomes_a_user_turn_where_it_is_rejected() -> None:
    source = (
        "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}"
        "{{ messages[0].role }}:{{ messages[0].content }}"
    )
    assert render(model_template(source), SHORT[:1]) == "user:You are a careful doctor."


def test_a_dated_template_renders_the_same_on_every_day() -> None:
    assert render(model_template("{{ strftime_now('%d %b %Y') }}"), SHORT[1:]) == "26 Jul 2024"


def test_what_hubs_offer_to_templates_is_there() -> None:
    source = (
        "{% generation %}{{ messages[0].content|tojson }}{% endgeneration %}"
        "{% for m in [1, 2, 3] %}{% if m == 2 %}{% break %}{% endif %}{{ m }}{% endfor %}"
        "{{ tools is defined }}{{ {'b': 1, 'a': ['é']}|tojson(indent=1, sort_keys=true) }}"
    )
    text = render(model_template(source), [user("naïve ≥ 5")])
    assert text == '"naïve ≥ 5"1False{\n "a": [\n  "é"\n ],\n "b": 1\n}'


# --- control tokens in a message --------------------------------------------------------------------------

CONTROLS = control_pattern(["<|im_end|>", "<|im_start|>", "<|im", "</think>"])


def test_control_texts_prefer_the_longest_and_may_be_none() -> None:
    assert CONTROLS is not None
    assert CONTROLS.findall("<|im_end|><|imx") == ["<|im_end|>", "<|im"]
    assert control_pattern([]) is None
    assert control_pattern([""]) is None


def test_a_chat_without_control_texts_is_one_part() -> None:
    template = chat_template(None, bos="", eos="")
    assert render_parts(template, SHORT, CONTROLS) == [Part(render(template, SHORT), special=True)]


def test_control_text_of_a_user_is_text_and_the_templates_own_is_not() -> None:
    parts = render_parts(chat_template(None, bos="", eos=""), [user("a<|im_end|>\n<|imb")], CONTROLS)
    assert parts == [
        Part("<|im_start|>user\na", special=True),
        Part("<|im_end|>", special=False),
        Part("\n", special=True),
        Part("<|im", special=False),
        Part("b<|im_end|>\n<|im_start|>assistant\n", special=True),
    ]


def test_control_text_at_the_edge_survives_trimming() -> None:
    parts = render_parts(model_template("{{ messages[0].content|trim|upper }}"), [user(" <|im_end|> ")], CONTROLS)
    assert parts == [Part("<|im_end|>", special=False)]


def test_noncharacters_of_a_user_cannot_pose_as_placeholders() -> None:
    parts = render_parts(model_template("{{ messages[0].content }}"), [user("\ufdd00\ufdd1<|im_end|>\ufdd2")], CONTROLS)
    assert parts == [
        Part("\ufffd0\ufffd", special=True),
        Part("<|im_end|>", special=False),
        Part("\ufffd", special=True),
    ]


def test_placeholders_forged_by_a_template_name_nothing() -> None:
    source = r"{{ '\ufdd0' }}0{{ '\ufdd1' }}x{{ '\ufdd0' }}"
    parts = render_parts(model_template(source), SHORT[1:], CONTROLS)
    assert parts == [Part("\ufffd", special=True), Part("x\ufffd", special=True)]


def test_a_template_cuts_the_models_reasoning_and_not_the_users_words() -> None:
    source = "{% for m in messages %}[{{ m.content.split('</think>')[-1] }}]{% endfor %}"
    chat = [
        user("what is </think>?"),
        Message(role=Role.ASSISTANT, content="<think>hm</think>yes"),
        user("ok"),
    ]
    text = "".join(part.text for part in render_parts(model_template(source), chat, CONTROLS))
    assert text == "[what is </think>?][yes][ok]"


@pytest.mark.sdist
def test_r1_distill_drops_earlier_reasoning(sdist: Path) -> None:
    source = (sdist / TEMPLATES / "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja").read_text(encoding="utf-8")
    chat = [user("a"), Message(role=Role.ASSISTANT, content="<think>\nlong\n</think>\n\nyes"), user("b")]
    parts = render_parts(model_template(source), chat, control_pattern(["<think>", "</think>"]))
    assert len(parts) == 1
    assert "long" not in parts[0].text
    assert "\n\nyes" in parts[0].text


# --- templates that mean harm -----------------------------------------------------------------------------

_GROW = "{% set n = namespace(x=START) %}{% for i in range(99) %}{% set n.x = STEP %}{% endfor %}"
_LONG = "{% set r = range(99999) %}"
MEMORY, TIME, MUCH = "MiB of memory", "longer than 1 s", "asks for too much"
FORBIDDEN, NESTED, ERROR = "sandbox forbids", "nests too deeply", "has an error in line"

HOSTILE = {
    "text doubled by ~": (_GROW.replace("START", "'ab'").replace("STEP", "n.x ~ n.x"), MEMORY),
    "text doubled by +": (_GROW.replace("START", "'ab'").replace("STEP", "n.x + n.x"), MEMORY),
    "lists doubled": (_GROW.replace("START", "[1]").replace("STEP", "n.x + n.x"), MEMORY),
    "number squared": (_GROW.replace("START", "3").replace("STEP", "n.x * n.x"), MUCH),
    "constant text": ("{{ 'a' * 10**10 }}", MUCH),
    "constant list": ("{% set x = 10**10 * [0] %}", MUCH),
    "power": ("{{ 2 ** (10**8) }}", MUCH),
    "huge base 16": ("{% set n = ('f' * 1000000)|int(0, 16) %}{{ n // 7 }}", MUCH),
    "range": ("{% for i in range(10**9) %}{% endfor %}", MUCH),
    "output": (_LONG + "{% for a in r %}0123456789{% endfor %}", MUCH),
    "endless loop": (_LONG + "{% for a in r %}{% for b in r %}{% endfor %}{% endfor %}", TIME),
    "json of shared lists": (
        _GROW.replace("START", "[]").replace("STEP", "[n.x, n.x]") + "{{ n.x|tojson }}",
        TIME,
    ),
    "percent width": ("{{ '%1000000000d' % 1 }}", MEMORY),
    "percent filter": ("{{ '%.1000000000f'|format(1.5) }}", MEMORY),
    "format width": ("{{ '{:{}}'.format('a', 1000000000) }}", MEMORY),
    "center": ("{{ 'a'|center(10000000000) }}", MEMORY),
    "indent": ("{{ 'a\\nb'|indent(10000000000) }}", MEMORY),
    "ljust": ("{{ 'a'.ljust(10000000000) }}", MEMORY),
    "replace": ("{{ ('a' * 1000000).replace('a', 'b' * 1000000) }}", MEMORY),
    "endless macro": ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", NESTED),
    "endless block": ("{% block a %}{{ self.a() }}{% endblock %}", NESTED),
    "parentheses": ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", NESTED),
    "nested lists": ("{{ " + "[" * 50000 + "]" * 50000 + " }}", NESTED),
    "nested conditions": ("{% if 1 %}" * 3000 + "{% endif %}" * 3000, NESTED),
    "nested loops": ("{% for a in [1] %}" * 50 + "{% endfor %}" * 50, "too many statically nested blocks"),
    "class": ("{{ ''.__class__.__mro__ }}", FORBIDDEN),
    "globals": ("{{ cycler.__init__.__globals__ }}", FORBIDDEN),
    "change a message": ("{{ messages.append(1) }}", FORBIDDEN),
    "include": ("{% include '/etc/passwd' %}", "no loader"),
    "import": ("{% import 'os' as os %}", "no loader"),
    "unpredictable": ("{{ [1, 2]|random }}", ERROR),
    "round": ("{{ 1|round(-100000000) }}", ERROR),
    "syntax": ("line one\n{{ a", "has an error in line 2"),
    "unknown name": ("{{ a.b }}", "'a' is undefined"),
    "refuses": ("{{ raise_exception('not\nme') }}", "refuses this chat: not me"),
    "nothing": ("{# only a comment #}", "it writes nothing"),
    "lone surrogate": (r"{{ '\ud800' }}", "surrogates not allowed"),
    "long source": ("x" * 300_000, "is longer than 262144 characters"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_template_is_refused_with_a_sentence(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source, reason = HOSTILE[name]
    if reason is not TIME:  # on a busy machine a second is too short for the other limits
        monkeypatch.setattr("medlora_edge.engine.chat_template.MAX_SECONDS", 60.0)
    what = refusal(source)
    assert what.startswith("the model's chat template ")
    assert reason in what
    assert len(what) < 300
    assert "\n" not in what


@pytest.mark.parametrize("source", ["{{ messages[0].content }}", HOSTILE["output"][0], HOSTILE["ljust"][0]])
def test_limits_are_gone_after_a_rendering(source: str) -> None:
    resource = pytest.importorskip("resource")
    memory = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.getsignal(signal.SIGALRM)
    with contextlib.suppress(TemplateError):
        render(model_template(source), SHORT)
    assert resource.getrlimit(resource.RLIMIT_AS) == memory
    assert signal.getsignal(signal.SIGALRM) is handler
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@pytest.mark.skipif(os.name != "posix", reason="off the main thread there is no clock on any system")
def test_off_the_main_thread_sizes_stay_bounded() -> None:
    caught: list[str] = []
    worker = threading.Thread(target=lambda: caught.append(refusal(HOSTILE["output"][0])))
    worker.start()
    worker.join()
    assert MUCH in caught[0]


# --- any text -----------------------------------------------------------------------------------------------

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)
WORDS = (
    "{{ }} {% %} {# #} messages [0] .content |trim |tojson |length |format |join ~ + * ** % ( ) [ ] 'a' : , "
    "9 x range namespace self loop tools"
)
STATEMENTS = (
    " for m in ",
    " if ",
    " else ",
    " endfor ",
    " endif ",
    " set x = ",
    " macro ",
    " is ",
    " not ",
    "\n",
)
PIECES = st.sampled_from([*WORDS.split(), *STATEMENTS])
CHATS = st.lists(
    st.tuples(st.sampled_from(list(Role)), ANY_TEXT).map(
        lambda turn: Message.model_construct(role=turn[0], content=turn[1])
    ),
    max_size=4,
)


@settings(max_examples=400, deadline=None)
@given(source=ANY_TEXT | st.lists(PIECES, max_size=25).map("".join), chat=CHATS)
def test_any_template_renders_or_is_refused(source: str, chat: list[Message]) -> None:
    try:
        parts = render_parts(model_template(source), chat, CONTROLS)
    except TemplateError as error:
        assert error.what.encode()
    else:
        assert "".join(part.text for part in parts).encode()


@settings(max_examples=200, deadline=None)
@given(content=ANY_TEXT | st.lists(st.sampled_from(["<|im_end|>", "<|im", "\ufdd0", "1", "x"])).map("".join))
def test_the_users_words_come_through(content: str) -> None:
    template = chat_template(None, bos="", eos="")
    message = Message.model_construct(role=Role.USER, content=content)
    parts = render_parts(template, [message], CONTROLS)
    words = re.sub("[\ufdd0-\ufdef\ud800-\udfff]", "\ufffd", content)
    assert "".join(part.text for part in parts) == (f"<|im_start|>user\n{words}<|im_end|>\n<|im_start|>assistant\n")
    assert CONTROLS is not None
    assert [part.text for part in parts if not part.special] == CONTROLS.findall(words)
