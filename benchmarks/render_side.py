"""The app's own process while an answer is streamed into it: the whole chat screen, words at a set pace, no engine.

python -m benchmarks.render_side OUT: writes what it took as JSON and quits.
"""

import asyncio
import gc
import json
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from threading import Event
from typing import NoReturn

from textual import work

from medlora_edge.engine.protocol import Timings
from medlora_edge.errors import UsageError
from medlora_edge.history import TurnState
from medlora_edge.tasks import Question
from medlora_edge.tui.app import EdgeApp
from medlora_edge.tui.session.events import Ended, Said, SessionEvent
from medlora_edge.tui.session.mailbox import Mailbox
from medlora_edge.tui.session.session import Session

TOKENS = 4000
PER_SECOND = 40.0
TOGETHER = 2  # the engine hands over together what it says within 0.05 s
BEAT_SECONDS = 0.005
SETTLE_SECONDS = 1.0
SECTION = """## Management of sepsis, part {number}

Give **broad-spectrum antibiotics** within the first hour, take *two* sets of blood cultures before, and measure
lactate; see [the guideline](https://example.org/guideline) for what to do when `lactate > 2 mmol/L`.

1. Crystalloids, 30 mL/kg in the first three hours
   - watch for fluid overload
   - **reassess** after every litre
2. Noradrenaline when the mean pressure stays below 65 mmHg

| Drug | First dose | Remark |
|:--|--:|:--|
| Noradrenaline | 0.05 ug/kg/min | first choice, through a central line where there is one |
| Vasopressin | 0.03 U/min | added when noradrenaline alone does not suffice |
| Hydrocortisone | 50 mg | every six hours in shock that does not respond to the others |

```python
def mean_pressure(systolic: float, diastolic: float) -> float:
    return diastolic + (systolic - diastolic) / 3
```

> The evidence for this is moderate.

"""


class Streamed(EdgeApp):
    """Streams the answer into itself and measures its own process."""

    def __init__(self, out: Path) -> None:
        super().__init__(Session, find_model=_none, private=True)
        self._out = out
        self._longest = 0.0

    async def on_mount(self) -> None:
        """Called besides the app's own."""
        self._beating = asyncio.create_task(self._beat())
        self._stream()

    async def _beat(self) -> None:
        """Processor time of the screen's thread from one beat to the next: the longest time it did not listen."""
        before = time.thread_time()
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            now = time.thread_time()
            self._longest, before = max(self._longest, now - before), now

    @work(thread=True)
    def _stream(self) -> None:
        time.sleep(SETTLE_SECONDS)
        turn = self.keeper.begin("ask", Question("", "How is sepsis managed?"), model="", sha256="")
        self.call_from_thread(self.chat.transcript.begin, turn)
        answer = "".join(islice(tokens(), TOKENS))
        began, spent, self._longest = time.perf_counter(), time.process_time(), 0.0
        self._say(turn.id, answer, began)
        share = (time.process_time() - spent) / (time.perf_counter() - began)
        last = self.chat.transcript.last
        same = last is not None and last.answer == self.keeper.turns()[-1].answer == answer
        self._out.write_text(json.dumps({"share": share, "longest": self._longest, "same": same}))
        self.call_from_thread(self.exit)

    def _say(self, turn: int, answer: str, began: float) -> None:
        """Say it at its pace and return when its end was drawn."""
        drawn = Event()

        def post(event: SessionEvent) -> None:
            self.hear(event)
            if isinstance(event, Ended):
                self.call_from_thread(self.call_after_refresh, drawn.set)

        mailbox = Mailbox(post)
        for number, token in enumerate(islice(tokens(), TOKENS), start=1):
            if number % TOGETHER == 0:
                time.sleep(max(0.0, began + number / PER_SECOND - time.perf_counter()))
            mailbox.put(Said(turn, token, number))
        mailbox.put(Ended(turn, TurnState.DONE, answer, timings=Timings()))
        drawn.wait()
        mailbox.close()


def tokens() -> Iterator[str]:
    """A long answer in pieces as a model makes them, about four characters each."""
    number = 0
    while True:
        number += 1
        section = SECTION.format(number=number)
        yield from (section[at : at + 4] for at in range(0, len(section), 4))


def _none() -> NoReturn:
    raise UsageError("no model is needed here")


if __name__ == "__main__":
    gc.freeze()  # as the app does
    Streamed(Path(sys.argv[1])).run()
