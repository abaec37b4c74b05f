"""What a terminal shows of what a program writes, and every control code in it that is not Textual's own."""

import re
import unicodedata
from codecs import getincrementaldecoder

from rich.cells import cell_len

# Textual's own: colours, the cursor's place, the modes that it sets and asks for, keyboard protocol, pointer shape.
OWN = re.compile(
    r"\x1b\[[\d;:]*m"
    r"|\x1b\[\d+;\d+H|\x1b\[H"
    r"|\x1b\[\?(?:7|25|1000|1003|1004|1006|1015|1016|1049|2004|2026|2048)[hl]"
    r"|\x1b\[\?20(?:26|48)\$p"
    r"|\x1b\[>\d+u|\x1b\[<u"
    r"|\x1b\]22;[a-z-]+\x07"
    r"|\r\n"
)
BEGUN = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]{0,40})?\Z|\r\Z")
CURSOR = re.compile(r"\x1b\[(\d+);(\d+)H")
STEERING = {"Cc", "Cf", "Cs"}  # control codes, marks that reorder or hide text, surrogates
JOINERS = "\u00ad\u200b\u200c\u200d\u2060\ufeff"  # of the second kind, but harmless


class Emulator:
    """`lines` stand on the screen; `foreign` is what steered it and was not Textual's."""

    def __init__(self, columns: int, rows: int) -> None:
        self.foreign: list[str] = []
        self._decode = getincrementaldecoder("utf-8")().decode
        self._rest = ""
        self.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        self._cells = [[" "] * columns for _ in range(rows)]
        self._row = self._column = 0

    @property
    def lines(self) -> list[str]:
        return ["".join(row).rstrip() for row in self._cells]

    def feed(self, data: bytes) -> None:
        text = self._rest + self._decode(data)
        begun = BEGUN.search(text)
        self._rest = begun[0] if begun else ""
        text = text[: len(text) - len(self._rest)]
        at = 0
        for own in OWN.finditer(text):
            self._write(text[at : own.start()])
            self._obey(own[0])
            at = own.end()
        self._write(text[at:])

    def _obey(self, sequence: str) -> None:
        if place := CURSOR.fullmatch(sequence):
            self._row, self._column = int(place[1]) - 1, int(place[2]) - 1
        elif sequence == "\x1b[H":
            self._row = self._column = 0
        elif sequence == "\r\n":
            self._row, self._column = self._row + 1, 0
        elif sequence.startswith("\x1b[?1049"):
            self.resize(len(self._cells[0]), len(self._cells))

    def _write(self, text: str) -> None:
        for letter in text:
            if unicodedata.category(letter) in STEERING and letter not in JOINERS:
                self.foreign.append(f"{letter!r} in {text[:60]!r}")
            else:
                self._put(letter)

    def _put(self, letter: str) -> None:
        width = cell_len(letter)
        if 0 <= self._row < len(self._cells) and self._column < len(self._cells[0]) and width:
            row = self._cells[self._row]
            row[self._column : self._column + width] = [letter, *[""] * (width - 1)]
        self._column += width
