"""Text that a model, a file or a user wrote, made safe to print: nothing in it can steer the terminal.

Only single characters are dropped, never whole sequences: so a filter needs no memory, and a stream may be cut
anywhere. What is left of an escape sequence stays visible as the harmless text it is.
"""

import re

_UNSAFE = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f"  # C0 but tab and newline: ESC, BEL, backspace, carriage return, ...
    "\x80-\x9f"  # C1: one-character forms of CSI, OSC, DCS
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"  # reorder or reshape what follows (bidi)
    "\ufff9-\ufffb\U000e0000-\U000e007f"  # hide what they enclose, invisible tags
    "\ud800-\udfff"  # lone surrogates: no terminal encoding has them
    "]"
)


def clean(text: str) -> str:
    """`text` without characters that steer a terminal; tab and newline stay."""
    return _UNSAFE.sub("", text)
