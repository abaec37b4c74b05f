"""Which part of a response speaks: not the thinking, and not a next turn that the model made up."""

import re

_TAGS = "think|thinking|thoughts?|reasoning|reflection|scratchpad|analysis"
_THINKING = re.compile(
    rf"""(?P<open> <(?:{_TAGS})\s?> | \[think\] | \u25c1think\u25b7 | <unused94>
              | <\|channel\|>analysis | \A\s*\#{{1,4}}\ thinking\b )
    | (?P<close> </(?:{_TAGS})\s?> | \[/think\] | \u25c1/think\u25b7 | <unused95> | <\|channel\|>final )
    | (?P<heading> ^\#{{1,4}}\ final\ (?:response|answer)\b )""",
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
_NEXT_TURN = re.compile(
    r"<\|im_start\|>\s?user|<\|start_header_id\|>\s?user|<start_of_turn>user|\[INST\]"
    r"|^(?:### )?(?:user|human|instruction) ?:",
    re.IGNORECASE | re.MULTILINE,
)
_NEXT_QUESTION = re.compile(r"\n(?:\W{0,4})(?:question|q)(?: ?\d{1,3})? ?[:.]", re.IGNORECASE)


def outside_thinking(text: str) -> str | None:
    """`text` without its thinking; None when it was cut there. A lone closing tag ends a thinking from the start."""
    parts: list[str] = []
    start, inside = 0, False
    for tag in _THINKING.finditer(text):
        if tag.lastgroup == "heading" and not inside:
            continue
        opens = tag.lastgroup == "open"
        if opens and not inside:
            parts.append(text[start : tag.start()])
        if not opens and not inside:
            parts.clear()
        start, inside = tag.end(), opens
    if inside:
        return None
    return "\n".join([*parts, text[start:]])


def own_turn(text: str) -> str:
    """`text` up to where the model goes on as the user."""
    for turn in _NEXT_TURN.finditer(text):
        if text[: turn.start()].strip():
            return text[: turn.start()]
    return text


def before_next_question(text: str) -> str:
    """`text` up to the first line that poses a question, if something stands before that line."""
    question = _NEXT_QUESTION.search(text)
    return text[: question.start()] if question and text[: question.start()].strip() else text
