"""A chat's second turn: only what stands behind the first turn's prompt is prefilled.

python -m benchmarks.second_turn
"""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.figure import Figure, Sense
from benchmarks.setup import GREEDY, Setup, distinct
from medlora_edge.engine import Done, Engine, Message, Role

N_CTX = 4096
ANSWERS = (1, 64)  # tokens
QUESTION = Message(role=Role.USER, content="And in children under five years of age?")


def measure(setup: Setup) -> Sequence[Figure]:
    """Tokens prefilled for the second turn against the tokens that the first one's prompt did not have."""
    with setup.engine(n_ctx=N_CTX) as engine:
        return [second_turn(setup, engine, answer) for answer in ANSWERS]


def second_turn(setup: Setup, engine: Engine, answer: int) -> Figure:
    """Two turns of one chat, the first answered with `answer` tokens."""
    (chat,) = setup.chats(1)
    first = distinct(chat, answer)
    done = engine.generate(first, sampling=GREEDY, max_tokens=answer).result()
    assert isinstance(done, Done)
    said = Message(role=Role.ASSISTANT, content=done.text)
    cost = engine.generate((*first, said, QUESTION), sampling=GREEDY, max_tokens=1).result().timings
    prefilled, new = cost.prompt_tokens - cost.cached_tokens, cost.prompt_tokens - done.timings.prompt_tokens
    return Figure(
        name=f"prefilled after an answer of {answer} tokens",
        unit="tokens",
        value=prefilled,
        bar=new,
        sense=Sense.AT_MOST,
        ours=(prefilled,),
        beside=(cost.prompt_tokens,),
        note="an answer's tokens are kept as far as its text gives them again, which noise rarely does",
    )


if __name__ == "__main__":
    from benchmarks.run import main

    main([Path(__file__).stem])
