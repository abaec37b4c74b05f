"""What a question is asked with beside its model, in the words of an export; kept with the turn."""

from medlora_edge.engine.protocol import Sampling
from medlora_edge.history import Setting, TaskName, Turn
from medlora_edge.models import Adapter, Model, warning
from medlora_edge.tui.session import verdict
from medlora_edge.tui.session.conversation import sampling

VERDICT = "the label that the model finds likeliest, weighed before the answer, which was written on from it"


def asked_with(
    model: Model, adapter: Adapter | None = None, *, window: int | None = None, task: TaskName = "ask"
) -> dict[str, Setting]:
    """Settings of a question that is about to be asked; `window`: tokens of the context, None while it loads."""
    chosen = Sampling()
    settings: dict[str, Setting] = {}
    if said := warning(model):
        settings["Warning"] = said
    if task != "ask":
        settings["Verdict is"] = VERDICT
    settings["Quantisation"] = model.manifest.quantisation
    if adapter:
        settings["Adapter"] = f"{adapter.name}, SHA-256 {adapter.sha256}"
    if window:
        settings["Context tokens"] = window
    return settings | {
        "Temperature": chosen.temperature,
        "Top-k": chosen.top_k,
        "Top-p": chosen.top_p,
        "Min-p": chosen.min_p,
        "Repeat penalty": chosen.repeat_penalty,
    }


def to_export(turn: Turn) -> dict[str, Setting]:
    """Settings of a kept turn; what must be known of its answer, and its seed, which come after those."""
    but = verdict.contradiction(turn)
    return {**turn.settings, **({"Verdict and answer": but} if but else {}), "Seed": sampling(turn).seed}
