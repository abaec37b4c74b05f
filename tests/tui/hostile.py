"""Text that tries to steer a terminal, to pass for markup, or to run an action of the app."""

ESCAPES = (
    "\x1b]52;c;SEVMTE8=\x07",  # write the clipboard
    "\x1b]52;c;?\x1b\\",  # read it
    "\x1b]0;title\x07",
    "\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]1337;File=inline=1:AAAA\x07",
    "\x1b[2J\x1b[1;1Hover",
    "\x1b[6n\x1b[c\x1b[21t",  # make the terminal type an answer
    "\x1bP$qm\x1b\\\x1bP1;1|17/6c73\x1b\\",
    "\x1b_Gf=24;AAAA\x1b\\\x1b^private\x1b\\\x1bXstring\x1b\\",
    "\x1bc\x1b(0\x1b#8\x1b7\x1b8",
    "\x9b31m\x9d52;c;QUJD\x9c\x90q\x9c\x85\x84",  # the same in one character each
    "\x0e\x0f\x05\x07\x08\x7f\x00\x0b\x0c\x1a",
    "safe\rover",
    "\u202eabc\u202c\u2066def\u2069\u200e\u200f\u061c",
    "\U000e0041\U000e007f\ufff9x\ufffb",
)
MARKUP = (
    "[@click=app.help]act[/]",
    "[@click=app.open_url('http://example.org')]url[/]",
    "[@mouse.down=app.help]press[/]",
    "[link=https://example.org]link[/link]",
    "[link='https://example.org']link[/link]",
    "[bold red]loud[/bold red] [reverse]turned[/]",
    "[/] [/nothing] [ [[ \\[ [$x] [not closed",
    "[link](https://example.org) <https://example.org> ![image](file:///etc/passwd)",
    "**bold** `code` | a | b |\n|---|---|\n| \x1b[31mred | [c](d) |\n",
    "```\n\x1b]52;c;QUJD\x07\n```\n",
)
HOSTILE = "".join(ESCAPES + MARKUP).replace("\n", " ").replace("\x00", "")
FILE_NAME = (ESCAPES[0] + ESCAPES[2] + ESCAPES[10] + ESCAPES[13] + MARKUP[0] + MARKUP[3]).replace("/", "|")


def splits() -> list[str]:
    """A stream in which every escape comes once for each place between two of its bytes, and is cut there.

    What a decoder holds back of a character comes with its rest.
    """
    pieces = [""]
    for text in ESCAPES:
        data = text.encode()
        for at in range(1, len(data)):
            first = data[:at].decode(errors="ignore")
            pieces[-1] += first
            pieces.append(text[len(first) :] + "\n")
    return pieces
