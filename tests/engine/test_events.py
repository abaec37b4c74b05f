"""How the engine process hands over what it says."""

from io import BytesIO

from medlora_edge.engine.protocol import Prefilling, Token, to_line
from medlora_edge.engine.worker import Worker

TOKEN = Token(id=1, token=7, text="word", logprob=-0.5)


class Pipe(BytesIO):
    """`heard` is what the other side has by now."""

    heard = b""

    def flush(self) -> None:
        self.heard = self.getvalue()


def test_first_token_is_handed_over_at_once_whatever_was_said_before() -> None:
    pipe = Pipe()
    worker = Worker(BytesIO(), pipe, "native")
    worker._emit(Prefilling(id=1, done=8, total=9))
    worker._emit(TOKEN)
    assert pipe.heard.endswith(to_line(TOKEN))


def test_tokens_that_were_held_go_with_the_next_event() -> None:
    pipe = Pipe()
    worker = Worker(BytesIO(), pipe, "native")
    for _ in range(3):
        worker._emit(TOKEN)
    worker._emit(Prefilling(id=2, done=1, total=2))
    assert pipe.heard.count(to_line(TOKEN)) == 3
