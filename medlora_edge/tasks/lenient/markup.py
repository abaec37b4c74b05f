"""Markdown, LaTeX, JSON and tags as plain lines, keeping what they say about the answer."""

import re

from medlora_edge.tasks.lenient.characters import squeeze

_FINAL = "\nfinal answer: "
_ANSWER_NAMES = r"final[_ ]?answer|answer|final|choice|decision|verdict|label|output"
_REWRITES = [
    (re.compile(r"<\|[^|<>\n]{1,40}\|>|</?s>|\[/?INST\]|<end_of_turn>"), " "),
    (re.compile(rf"<(?:{_ANSWER_NAMES})>", re.IGNORECASE), _FINAL),
    (re.compile(rf"</(?:{_ANSWER_NAMES})>", re.IGNORECASE), "\n"),
    (re.compile(r"</?(?:b|i|u|em|strong|mark|span|code|sup|sub)>", re.IGNORECASE), ""),
    (re.compile(r"</?(?:p|br|div|li|ul|ol|h[1-6]) ?/?>", re.IGNORECASE), "\n"),
    (re.compile(r"~~[^~\n]{1,200}~~"), " "),
    (re.compile(r"\\(?:boxed|fbox|framebox)\b"), _FINAL),
    (re.compile(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mathit|mathsf|operatorname|bf|rm)\b"), ""),
    (re.compile(r"\\[()\[\]]"), ""),
    (re.compile(r"\\[,;:! ]|\\quad\b"), " "),
    (re.compile(r"```\w{0,16}"), "\n"),
    (re.compile(r"^(?: ?(?:#{1,6}|[-*+>]|\d{1,2}[.)]) ){1,3}", re.MULTILINE), ""),
    (re.compile(r"\[x\]", re.IGNORECASE), "\u2713"),
    (re.compile(r"\bn/a\b", re.IGNORECASE), ""),
    (re.compile(r"__"), "**"),
    (re.compile(r"_"), " "),
    (re.compile(r"\{"), " "),
    (re.compile(r"\}"), "\n"),
]
_EMPHASIS = re.compile(r"""[*`~"$]|(?<!\w)'|'(?!\w)|(?<=\n)#{1,6} ?""")
_TABLE_ROW = re.compile(r"^ ?\|.*$", re.MULTILINE)
_TABLE_RULE = re.compile(r"[|:\- ]+")
_ANSWER_COLUMN = re.compile(r"\W{0,4}(?:final |correct )?(?:answer|decision|verdict)\W{0,4}", re.IGNORECASE)


def plain_lines(text: str) -> str:
    """`text` (folded) without structure; emphasis and quotes stay, see `without_emphasis`."""
    if "|" in text:
        text = _tables(text)
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    return squeeze(text)


def without_emphasis(text: str) -> str:
    """`text` without asterisks, quotes and the like."""
    return squeeze(_EMPHASIS.sub("", text))


def _tables(text: str) -> str:
    lines: list[str] = []
    columns: list[int] = []
    inside = False
    for line in text.split("\n"):
        is_row = _TABLE_ROW.match(line) is not None
        if not is_row:
            lines.append(line)
        elif not _TABLE_RULE.fullmatch(line):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if not inside:
                columns = [place for place, cell in enumerate(cells) if _ANSWER_COLUMN.fullmatch(cell)]
            lines.append(": ".join(cells))
            lines += [f"answer: {cells[place]}" for place in columns if inside and place < len(cells)]
        inside = is_row
    return "\n".join(lines)
