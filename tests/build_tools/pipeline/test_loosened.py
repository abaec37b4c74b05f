"""A bar that a recipe lowers is named; one that it raises is not."""

from build_tools.pipeline.loosened import Loosened, loosened
from build_tools.recipe.schema import Gates, Limits, Recipe
from tests.build_tools.pipeline import hand_made


def recipe(gates: Gates, limits: Limits) -> Recipe:
    plain = hand_made.recipe()
    (stage,) = plain.stages
    return plain.model_copy(update={"gates": gates, "stages": (stage.model_copy(update={"limits": limits}),)})


def test_only_looser_bars_are_named() -> None:
    assert loosened(recipe(Gates(), Limits())) == ()
    assert loosened(recipe(Gates(), Limits(spike=2.0, untrained_rows=0.01))) == ()
    gates = Gates.model_validate(
        {
            "merge": {"mean_kl": 0.01, "top1_agreement": 0.999},
            "f16": {"positions": 100, "mean_kl": 0.0001},
            "quantise": {"retention": 0.5, "fallback_share": 0.2},
        }
    )
    default = Gates()
    assert loosened(recipe(gates, Limits(spike=50.0, untrained_rows=0.5))) == (
        Loosened("stages[0].limits.spike", 50.0, Limits().spike),
        Loosened("stages[0].limits.untrained_rows", 0.5, Limits().untrained_rows),
        Loosened("gates.merge.mean_kl", 0.01, default.merge.mean_kl),
        Loosened("gates.f16.positions", 100, default.f16.positions),
        Loosened("gates.quantise.fallback_share", 0.2, default.quantise.fallback_share),
        Loosened("gates.quantise.retention", 0.5, default.quantise.retention),
    )
