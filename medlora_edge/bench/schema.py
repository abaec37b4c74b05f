"""What a run folder holds: lines of `samples.jsonl`, the run card, `results.json` (docs/bench-files.md)."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from medlora_edge.bench.kinds import Flag, Mode, Origin, Split
from medlora_edge.engine.protocol import Reason, Sampling, Threads, Timings

SCHEMA_VERSION = 1

Label = Literal["yes", "no", "maybe"]
LABELS: tuple[Label, ...] = ("yes", "no", "maybe")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class Sample(_Record):
    """One line of the journal. Log-probabilities in nats; `elapsed_seconds` since the line before."""

    id: str
    prompt_sha256: str
    response: str | None = None
    strict_label: Label | None = None
    lenient_label: Label | None = None
    label_probs: dict[Label, float] | None = None
    label_logprobs: dict[Label, float] | None = None
    first_token_logprobs: dict[Label, float] | None = None
    gold: Label
    flags: tuple[Flag, ...] = ()
    reason: Reason | None = None
    min_margin: float | None = None
    seed: int | None = None
    error: str | None = None
    timings: Timings = Timings()
    elapsed_seconds: float = 0.0


class RunSettings(_Record):
    """What the user asked for. With the model and the data it decides whether two runs are the same run."""

    mode: Mode = Mode.GENERATE
    split: Split = Split.TEST
    limit: int | None = Field(None, ge=1)
    seed: int = Field(0, ge=0)
    full: bool = False
    parallel: Annotated[int, Field(ge=1, le=64)] | Literal["auto"] = "auto"
    threads: Threads = "auto"
    gpu_layers: int | Literal["auto"] = "auto"
    kv_type: Literal["f16", "q8_0"] = "f16"
    context: int | None = Field(None, ge=1)
    max_tokens: int = Field(256, ge=1)
    sampling: Sampling | None = Sampling()


class Resolved(_Record):
    """What `auto` came to; kept for a resume. `n_ctx` is the total of all sequences, in tokens.

    `gpu_offload`: whether layers of the model were computed on a GPU.
    """

    parallel: int
    threads: int
    n_ctx: int
    n_batch: int
    n_ubatch: int
    gpu_offload: bool
    sequence_limit: int


class ModelCard(_Record):
    """The model measured. `sha256` of the GGUF, `template_sha256` of the chat template."""

    name: str
    sha256: str
    description: str
    architecture: str
    quantisation: str
    size_bytes: int
    n_params: int
    n_ctx_train: int
    template_sha256: str
    template_source: str
    untrained: bool
    demonstration: bool


class AdapterCard(_Record):
    """The LoRA adapter measured with the model. `sha256` of its GGUF."""

    name: str
    sha256: str


class DataCard(_Record):
    """The data set. `sha256` of its uncompressed bytes; `n_items` in the chosen split and limit."""

    name: str
    origin: Origin
    sha256: str
    n_records: int
    n_split: int
    n_items: int


class Machine(_Record):
    """Where the run took place."""

    cpu: str
    cores: int
    memory_bytes: int
    system: str


class Card(_Record):
    """Everything that must be equal, or known, before two numbers may be put side by side."""

    schema_version: Literal[1] = 1
    run_id: str
    settings: RunSettings
    resolved: Resolved
    model: ModelCard
    adapter: AdapterCard | None = None
    data: DataCard
    task: str = "pubmedqa"
    prompts_sha256: str
    reader_version: str
    software: dict[str, str]
    machine: Machine
    started: str
    ended: str | None = None
    peak_memory_bytes: int = 0
    notes: tuple[str, ...] = ()


class ClassRow(_Record):
    """One label: `support` items have it, `predicted` items got it. Intervals are 95 % Wilson."""

    support: int
    predicted: int
    precision: float
    precision_interval: tuple[float, float]
    recall: float
    recall_interval: tuple[float, float]
    f1: float


class Metrics(_Record):
    """Fractions of 1. Without a prefix: strict labels. `intervals`: 95 % Wilson, by figure."""

    n: int
    accuracy: float
    accuracy_valid: float | None
    macro_f1: float
    strict_valid_rate: float
    lenient_valid_rate: float
    lenient_accuracy: float
    lenient_accuracy_valid: float | None
    lenient_macro_f1: float
    majority_rate: float
    intervals: dict[str, tuple[float, float]]
    per_class: dict[Label, ClassRow]
    confusion: dict[Label, dict[str, int]]
    flags: dict[Flag, int]


class RunTimings(_Record):
    """Tokens by count, rates in tokens a second of one sequence's own time, times in seconds."""

    prompt_tokens: int
    cached_tokens: int
    generated_tokens: int
    prefill_tokens_per_second: float | None
    decode_tokens_per_second: float | None
    generated_tokens_per_wall_second: float | None
    seconds_median: float | None
    seconds_p95: float | None
    wall_seconds: float
    peak_memory_bytes: int


class Results(_Record):
    """`results.json`. `reader_version` is that of the readers which gave these numbers."""

    schema_version: Literal[1] = 1
    finished: bool
    reader_version: str
    metrics: Metrics
    timings: RunTimings
    too_long: tuple[str, ...]
    engine_failed: tuple[str, ...]
    card: Card
