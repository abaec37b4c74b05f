"""Textual's driver for Unix terminals with an input loop of our own.

Textual's loop takes a paste that the terminal did not mark for keys, ends the program at bytes that are no UTF-8, asks
a terminal that is gone without end, and lets Esc wait for up to a fifth of a second.
"""

import asyncio
import os
import select
import signal
import time
from codecs import getincrementaldecoder
from collections.abc import Sequence

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Key, Paste

from medlora_edge.tui.terminal.pastes import Pasted, Pastes, Typed

READ_BYTES = 1 << 16
LOOK_SECONDS = 0.1  # between two looks at whether the program ends
SOON_SECONDS = 0.015  # the same while it is open whether an Esc is a key, or a paste over
ESC = "\x1b"


class UnixDriver(LinuxDriver):
    """Quits, the screen restored, when the terminal is gone or the system asks the program to end."""

    def start_application_mode(self) -> None:
        """Also listen to the system's request to end."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._app.exit)

    def run_input_thread(self) -> None:
        """Read until the program ends."""
        keys = XTermParser()
        pastes = Pastes()
        decode = getincrementaldecoder("utf-8")("replace").decode
        patience = LOOK_SECONDS
        while not self.exit_event.is_set():
            if not select.select([self.fileno], [], [], patience)[0]:
                pieces = tuple(pastes.rest(time.monotonic()))
                patience = SOON_SECONDS if pieces or pastes.under_way else LOOK_SECONDS
            elif data := self._read():
                pieces = tuple(pastes.take(decode(data), time.monotonic()))
                patience = SOON_SECONDS
            else:
                self._app.call_later(self._app.exit)
                return
            self._pass_on(pieces, keys)

    def _read(self) -> bytes:
        """What is there; nothing when the terminal is gone."""
        try:
            return os.read(self.fileno, READ_BYTES)
        except OSError:
            return b""

    def _pass_on(self, pieces: Sequence[Typed | Pasted], keys: XTermParser) -> None:
        for piece in pieces:
            match piece:
                case Pasted(text):
                    self.process_message(Paste(text))
                case Typed(text) if text == ESC:  # nothing came behind it: the parser need not wait once more
                    self.process_message(Key("escape", ESC))
                case Typed(text):
                    for event in keys.feed(text):
                        self.process_message(event)
        for event in keys.tick():
            self.process_message(event)
