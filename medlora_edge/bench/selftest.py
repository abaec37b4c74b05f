"""Before a score run: does scoring mean what it says on this model and this engine?"""

from math import isfinite

from medlora_edge.bench.dataset import Item
from medlora_edge.engine.client import Engine
from medlora_edge.engine.protocol import Message, Reuse, Sampling, Scored, Token
from medlora_edge.errors import GateError
from medlora_edge.tasks import Task

SUM_TOLERANCE = 1e-3
SCORE_TOLERANCE_NATS = 0.01  # both ways have the same batch borders: equal to the bit on a CPU
ROUNDING = 1e-6


def check(engine: Engine, task: Task, item: Item) -> None:
    """Score one item twice and decode it greedily. Raises GateError (exit 5) naming what does not hold."""
    messages, candidates = task.messages(item.question), task.candidates(item.question)
    scored = _score(engine, messages, candidates, Reuse.FIXED)
    _check_distribution(scored)
    _check_alone(scored, _score(engine, messages, candidates, Reuse.NONE))
    _check_greedy(scored, _greedy_token(engine, messages))


def _score(engine: Engine, messages: tuple[Message, ...], candidates: dict[str, str], reuse: Reuse) -> Scored:
    scored = engine.score(messages, candidates, reuse=reuse).result()
    assert isinstance(scored, Scored)  # noqa: S101 - the client answers a score with nothing else
    return scored


def _greedy_token(engine: Engine, messages: tuple[Message, ...]) -> Token:
    greedy = Sampling(temperature=0.0)
    pending = engine.generate(messages, sampling=greedy, max_tokens=1, stream=True, reuse=Reuse.FIXED)
    tokens = [event for event in pending.events() if isinstance(event, Token)]
    pending.result()
    if not tokens:
        raise _failed("greedy decoding gave no token")
    return tokens[0]


def _check_distribution(scored: Scored) -> None:
    if not abs(scored.probability_sum - 1) <= SUM_TOLERANCE:
        raise _failed(f"next-token probabilities sum to {scored.probability_sum:.6f}, not to 1")
    scores = list(scored.logprobs.values())
    if not all(map(isfinite, [*scores, *scored.first_logprobs.values()])):
        raise _failed(f"label scores are not finite: {scored.logprobs}")
    if max(scores) == min(scores):
        raise _failed(f"all labels have the same score, {scores[0]:.6f}")


def _check_alone(scored: Scored, alone: Scored) -> None:
    for label, value in scored.logprobs.items():
        apart = abs(value - alone.logprobs[label])
        if not apart <= SCORE_TOLERANCE_NATS:
            raise _failed(
                f"the score of '{label}' is {value:.4f} with a shared prompt beginning and "
                f"{alone.logprobs[label]:.4f} computed alone, more than {SCORE_TOLERANCE_NATS} nats apart"
            )


def _check_greedy(scored: Scored, greedy: Token) -> None:
    apart = abs(scored.top_logprob - greedy.logprob)
    if not apart <= SCORE_TOLERANCE_NATS:
        raise _failed(
            f"greedy decoding takes token {greedy.token} at log-probability {greedy.logprob:.4f}, "
            f"but scoring has token {scored.top_token} at {scored.top_logprob:.4f} as the likeliest"
        )
    label, best = max(scored.logprobs.items(), key=lambda pair: pair[1])
    if best > scored.top_logprob + ROUNDING:
        raise _failed(f"'{label}' scores {best:.4f}, more than the likeliest token, {scored.top_logprob:.4f}")


def _failed(what: str) -> GateError:
    fix = "the scores of this model mean nothing on this engine; use --mode constrained or generate"
    return GateError(f"the self-test of score mode failed: {what}", fix=fix)
