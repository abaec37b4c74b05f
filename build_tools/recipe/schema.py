"""What a recipe says, typed: unknown keys are errors, every key has one meaning and a unit where it needs one."""

from typing import Annotated, Literal

from pydantic import Field

from build_tools.recipe.data_forms import AnyData, ChatData
from build_tools.recipe.part import File, Fraction, Name, Part, Positive

ALL_LINEAR = "all-linear"  # every linear layer of the blocks, whatever the architecture calls them

Modules = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]


class Scratch(Part):
    """A new Llama-shaped model with a SentencePiece tokenizer trained on the first stage's text.

    `hidden` and `feed_forward` are multiples of 256, or K-quants would not apply.
    """

    hidden: int = Field(multiple_of=256, ge=256)
    layers: Positive
    heads: Positive
    kv_heads: Positive
    feed_forward: int = Field(multiple_of=256, ge=256)
    vocabulary: int = Field(ge=512, le=65_536)
    context: int = Field(ge=128)


class Base(Part):
    """Where training starts: exactly one of a Hugging Face folder, a hub id with its revision, or `scratch`.

    `shape`: a committed config.json with which `check` counts and plans before the weights are there.
    """

    folder: File | None = None
    hub: str | None = Field(None, pattern=r"^[\w.-]+/[\w.-]+$")
    revision: str | None = Field(None, pattern=r"^[0-9a-f]{40}$")
    scratch: Scratch | None = None
    shape: File | None = None
    licence: str
    chat_template: Literal["base", "chatml"] | File = "base"


class Adapter(Part):
    """A LoRA adapter. `target_modules` names linear layers, or is `all-linear`."""

    rank: Positive
    alpha: Positive
    dropout: float = Field(0.0, ge=0, lt=1)
    target_modules: Literal["all-linear"] | Modules
    use_rslora: bool = False


class Optimiser(Part):
    """`adamw_bnb_8bit` keeps 8-bit state for tensors over 4,096 elements; `adamw_torch` keeps 32 bit."""

    name: Literal["adamw_bnb_8bit", "adamw_torch"] = "adamw_bnb_8bit"
    learning_rate: float = Field(gt=0, lt=1)
    weight_decay: float = Field(0.0, ge=0, lt=1)
    max_grad_norm: float = Field(1.0, gt=0)


class Schedule(Part):
    """Learning rate over the steps; at most one of the two warm-ups."""

    name: Literal["cosine", "linear", "constant"] = "cosine"
    warmup_steps: int | None = Field(None, ge=0)
    warmup_ratio: Fraction | None = None


class Batch(Part):
    """Rows a step: `micro` at once, `accumulation` times."""

    micro: Positive = 1
    accumulation: Positive = 1


class Evaluation(Part):
    """Held-out loss during training. `share` of the rows is held out; stops after `patience` looks without a gain."""

    share: float = Field(0.05, gt=0, le=0.5)
    every: Positive = 50  # steps
    patience: Positive | None = None


class Limits(Part):
    """What the watchdog bears: a loss `spike` times the recent median, and rows that lose their answer."""

    spike: float = Field(3.0, gt=1)
    untrained_rows: Fraction = 0.02


class _Stage(Part):
    name: Name
    previous: Literal["merge", "stack"] | None = None  # what becomes of earlier adapters; said from the second stage on
    load_bits: Literal[4, 16, 32] = 4
    optimiser: Optimiser
    schedule: Schedule = Schedule()
    batch: Batch = Batch()
    epochs: Annotated[float, Field(gt=0)] | None = None
    steps: Positive | None = None
    max_length: int = Field(ge=16)  # tokens a row
    test_sets: File | None = None  # folder of the official test sets; documents that overlap with them are left out
    packing: bool = True  # documents share a row, each with an attention of its own
    checkpoint_activations: bool = False
    save_every: Positive = 50  # steps
    evaluation: Evaluation = Evaluation()
    limits: Limits = Limits()


class CompletionStage(_Stage):
    """Continued pre-training: loss on every token. `adapter: none` trains all weights of a scratch model.

    Questions among the data are rendered by the chat template and learned whole, prompt and answer.
    `test_sets`: folder of the official test sets; documents with 13 words in a row of one of them are left out.
    """

    kind: Literal["completion"]
    data: tuple[AnyData, ...] = Field(min_length=1, strict=False)
    adapter: Adapter | Literal["none"]


class ChatStage(_Stage):
    """Supervised: loss on the answer and its end-of-turn token."""

    kind: Literal["chat"]
    data: tuple[ChatData, ...] = Field(min_length=1, strict=False)
    adapter: Adapter


Stage = Annotated[CompletionStage | ChatStage, Field(discriminator="kind")]


class MergeGate(Part):
    """Adapter on its own base against the merged weights, logits over held-out positions.

    `effect_error`: how far the merged model's share in the adapter's change of the logits is from 1.
    """

    max_difference: float = Field(0.05, gt=0)  # of a logit, relative to the spread of the logits
    mean_kl: float = Field(1e-3, gt=0)  # nats
    top1_agreement: Fraction = 0.99
    effect_error: float = Field(0.05, gt=0)


class F16Gate(Part):
    """The F16 GGUF in llama.cpp against the merged weights in transformers."""

    positions: int = Field(200, ge=50)
    mean_kl: float = Field(1e-3, gt=0)
    top1_agreement: Fraction = 0.99


class QuantiseGate(Part):
    """The quantised GGUF against its own F16, on held-out text, and against the base model quantised alike.

    `kl_over_base` and `perplexity_over_base`: times the base model's own loss by the same quantisation.
    """

    fallback_share: Fraction = 0.05  # of matrix weights that did not get a K-quant
    kl_over_base: float = Field(2.0, gt=1)
    perplexity_over_base: float = Field(2.0, gt=1)
    retention: Fraction = 0.8


class AnswersGate(Part):
    """Answers to held-out open questions of the last stage, greedily decoded: token F1 beside the untuned model's.

    `gain`: by how much the mean token F1 has to be above that of the model before its first adapter.
    """

    questions: Positive = 100
    longest: Positive = 128  # tokens an answer
    gain: float = Field(0.0, ge=-1, le=1)


class Gates(Part):
    """Bars that every hop has to meet; a recipe may move them, and the model card records a looser one."""

    merge: MergeGate = MergeGate()
    f16: F16Gate = F16Gate()
    quantise: QuantiseGate = QuantiseGate()
    answers: AnswersGate | None = None


class Export(Part):
    """What comes out: a GGUF of this type. `none` says that this model can be trained, not exported, and why."""

    type: Literal["Q3_K_L", "Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0", "none"] = "Q3_K_L"
    reason: str | None = None


class Recipe(Part):
    """One model from base to GGUF. `source`: the paper or repository it reproduces."""

    name: Name
    source: str
    seed: int = Field(0, ge=0, lt=2**32)  # what numpy takes
    base: Base
    stages: tuple[Stage, ...] = Field(min_length=1, strict=False)
    gates: Gates = Gates()
    export: Export = Export()
