"""What the app and the engine process say to each other: one JSON object a line, at most 1 MiB, versioned.

Requests go down, events come up. Every event names the request it answers; the engine itself is request 0.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

VERSION = 1
MAX_LINE = 1 << 20


class _Wire(BaseModel):
    # A broken model's scores are NaN: they must arrive, or the engine seems to have hung.
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), ser_json_inf_nan="constants")


class Role(StrEnum):
    """Who speaks in a chat turn."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class Message(_Wire):
    """One turn of a chat."""

    role: Role
    content: str


Threads = Annotated[int, Field(ge=1, le=512)] | Literal["auto"]
Chat = Annotated[tuple[Message, ...], Field(min_length=1)]


class Reuse(StrEnum):
    """How much of the KV cache a request may take over from earlier ones.

    `LONGEST`: whatever matches, the fastest (chat). `FIXED`: only the part of the prompt before the last
    turn's own words, computed once in chunks of its own, so that the result does not depend on what ran
    before (bench). `NONE`: everything is computed afresh (self-test).
    """

    LONGEST = "longest"
    FIXED = "fixed"
    NONE = "none"


class Sampling(_Wire):
    """How the next token is chosen. The defaults are the pinned binding's chat defaults."""

    temperature: float = Field(0.2, ge=0, le=10)
    top_k: int = Field(40, ge=0)
    top_p: float = Field(0.95, gt=0, le=1)
    min_p: float = Field(0.05, ge=0, le=1)
    repeat_penalty: float = Field(1.0, gt=0, le=10)
    seed: int = Field(0, ge=0, lt=(1 << 32) - 1)  # the highest value means "random" to llama.cpp


# --- requests ---------------------------------------------------------------------------------------------


class Load(_Wire):
    """Load the weights of a GGUF, and a LoRA adapter with them where one is given.

    `gpu_layers`: "auto" offers every layer to whatever GPU the build knows.
    """

    kind: Literal["load"] = "load"
    id: int
    path: str
    adapter: str | None = None
    gpu_layers: Annotated[int, Field(ge=0, le=1024)] | Literal["auto"] = "auto"


class ContextOptions(_Wire):
    """The working memory: `n_ctx` tokens, split evenly over the sequences (0: what the model was trained for)."""

    n_ctx: int = Field(4096, ge=0)
    n_seq_max: int = Field(1, ge=1, le=64)
    n_batch: int = Field(512, ge=32, le=8192)
    threads: Threads = "auto"
    kv_type: Literal["f16", "q8_0"] = "f16"

    @property
    def kv_caches(self) -> int:
        """KV caches of `n_ctx / n_seq_max` tokens: one in all, or one a sequence and one for the shared prefix."""
        return 1 if self.n_seq_max == 1 else self.n_seq_max + 1


class Open(_Wire):
    """Make a context over the loaded weights; the one before is closed, the weights stay."""

    kind: Literal["open"] = "open"
    id: int
    options: ContextOptions


class Generate(_Wire):
    """Answer a chat. Ends at the end of turn, at `max_tokens`, or as soon as the text matches `stop_when`.

    The answer goes on from the words that are `begun`; `Done.text` is what comes behind them.

    Where it shall not `stop_early` the match only says that the answer is decided: no later token counts in
    `Done.min_margin`.
    """

    kind: Literal["generate"] = "generate"
    id: int
    messages: Chat
    begun: str = ""
    sampling: Sampling = Sampling()
    max_tokens: int = Field(256, ge=1)
    grammar: str | None = None
    stop_when: str | None = None
    stop_early: bool = True
    stream: bool = True
    reuse: Reuse = Reuse.LONGEST


class Score(_Wire):
    """Log-probability of each candidate as the answer's beginning, tokenised after the rendered prompt."""

    kind: Literal["score"] = "score"
    id: int
    messages: Chat
    candidates: Annotated[dict[str, str], Field(min_length=2)]
    reuse: Reuse = Reuse.FIXED


class Prefill(_Wire):
    """Compute a prompt's beginning ahead of time: all that a later last turn's words cannot change."""

    kind: Literal["prefill"] = "prefill"
    id: int
    messages: Chat


class Count(_Wire):
    """How many tokens each rendered chat has."""

    kind: Literal["count"] = "count"
    id: int
    chats: tuple[Chat, ...]


class Cancel(_Wire):
    """Stop request `target` in whatever phase it is."""

    kind: Literal["cancel"] = "cancel"
    id: int = 0
    target: int


class Stats(_Wire):
    """Ask for memory and counters."""

    kind: Literal["stats"] = "stats"
    id: int


Request = Annotated[Load | Open | Generate | Score | Prefill | Count | Cancel | Stats, Field(discriminator="kind")]

# --- events -----------------------------------------------------------------------------------------------


class Ready(_Wire):
    """First words of the engine process."""

    event: Literal["ready"] = "ready"
    id: int = 0
    version: int = VERSION
    llama_cpp: str
    variant: str
    backends: str
    gpu_offload: bool


class Alive(_Wire):
    """Sign of life from a thread of its own; `steps` rises with every computed batch."""

    event: Literal["alive"] = "alive"
    id: int = 0
    steps: int
    busy: bool


class Loading(_Wire):
    """Weights read so far, 0 to 1."""

    event: Literal["loading"] = "loading"
    id: int
    fraction: float


class Loaded(_Wire):
    """The weights are in memory. `gpu`: layers were offered to one, and it took them."""

    event: Literal["loaded"] = "loaded"
    id: int
    description: str
    n_params: int
    n_ctx_train: int
    n_vocab: int
    size_bytes: int
    template_sha256: str
    template_source: Literal["model", "chatml"]
    partial_reuse: bool
    gpu: bool = False
    notes: tuple[str, ...] = ()
    seconds: float


class Opened(_Wire):
    """The context is made; the values are those llama.cpp really took. `n_ctx` is the total of all sequences."""

    event: Literal["opened"] = "opened"
    id: int
    n_ctx: int
    n_seq_max: int
    n_batch: int
    n_ubatch: int
    threads: int


class Prefilling(_Wire):
    """Prompt tokens computed so far."""

    event: Literal["prefilling"] = "prefilling"
    id: int
    done: int
    total: int


class Token(_Wire):
    """One generated token; `text` may be empty while a character is incomplete. `logprob` in nats."""

    event: Literal["token"] = "token"
    id: int
    token: int
    text: str
    logprob: float


class Timings(_Wire):
    """What one request cost. Tokens by count, time in seconds: of its own batches, and in all with every wait."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    generated_tokens: int = 0
    prefill_seconds: float = 0.0
    decode_seconds: float = 0.0
    total_seconds: float = 0.0


class Reason(StrEnum):
    """Why a generation ended."""

    END_OF_TURN = "end_of_turn"
    MAX_TOKENS = "max_tokens"
    STOP_WHEN = "stop_when"
    GRAMMAR_DONE = "grammar_done"
    CANCELLED = "cancelled"


class Done(_Wire):
    """A generation ended. `min_margin`: smallest top-2 gap in nats up to the deciding token (greedy, not streamed)."""

    event: Literal["done"] = "done"
    id: int
    reason: Reason
    text: str
    prompt_sha256: str
    min_margin: float | None = None
    timings: Timings


class Scored(_Wire):
    """Label scores in nats: the sum over each candidate's tokens, and its first differing token alone.

    `top_token` is the likeliest token right after the prompt, `probability_sum` the sum over the whole
    vocabulary there.
    """

    event: Literal["scored"] = "scored"
    id: int
    logprobs: dict[str, float]
    first_logprobs: dict[str, float]
    top_token: int
    top_logprob: float
    probability_sum: float
    prompt_sha256: str
    timings: Timings


class Prefilled(_Wire):
    """The stable beginning of a prompt is in the cache."""

    event: Literal["prefilled"] = "prefilled"
    id: int
    tokens: int
    timings: Timings


class Counted(_Wire):
    """Tokens of each chat and the SHA-256 of its rendered prompt."""

    event: Literal["counted"] = "counted"
    id: int
    tokens: tuple[int, ...]
    prompt_sha256: tuple[str, ...]


class Reported(_Wire):
    """Memory of the engine process in bytes, and its counters since `open`."""

    event: Literal["reported"] = "reported"
    id: int
    rss_bytes: int
    peak_rss_bytes: int
    steps: int
    computed_prompt_tokens: int
    generated_tokens: int


class Cause(StrEnum):
    """Whose fault an error is, for the exit code: the request's, the model's, the machine's, the engine's."""

    REQUEST = "request"
    MODEL = "model"
    MEMORY = "memory"
    CANCELLED = "cancelled"
    ENGINE = "engine"
    PLATFORM = "platform"


class Failed(_Wire):
    """A request could not be done; `what` is one sentence for the user."""

    event: Literal["error"] = "error"
    id: int
    cause: Cause
    what: str


class Restarted(_Wire):
    """Made by the client: the engine died and this request starts again from nothing."""

    event: Literal["restarted"] = "restarted"
    id: int
    what: str


Event = Annotated[
    Ready
    | Alive
    | Loading
    | Loaded
    | Opened
    | Prefilling
    | Token
    | Done
    | Scored
    | Prefilled
    | Counted
    | Reported
    | Failed
    | Restarted,
    Field(discriminator="event"),
]

_requests: TypeAdapter[Request] = TypeAdapter(Request)
_events: TypeAdapter[Event] = TypeAdapter(Event)


def read_request(line: bytes) -> Request:
    """Parse one line. Raises pydantic.ValidationError."""
    return _requests.validate_json(line)


def read_event(line: bytes) -> Event:
    """Parse one line. Raises pydantic.ValidationError."""
    return _events.validate_json(line)


def to_line(message: BaseModel) -> bytes:
    """One message as one line. JSON escapes every newline, so a line never breaks inside."""
    return message.model_dump_json().encode() + b"\n"
