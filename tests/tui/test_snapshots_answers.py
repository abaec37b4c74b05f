"""Pictures of answers, to be looked at when they change: Markdown, variants, what is left, in every theme."""

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from medlora_edge.history import TurnState
from tests.tui.apps import FakeApp, ready, until
from tests.tui.test_snapshots import LOOKS, settle
from tests.tui.turns import answered, turn

MARKDOWN = """## Management of sepsis

Give **broad-spectrum antibiotics** within the *first hour*; see [the guideline](https://example.org/guideline)
and `lactate`.

1. Crystalloids, 30 mL/kg in the first three hours, with care where the heart is weak
   - watch for fluid overload
2. Noradrenaline

| Drug | First dose | Remark |
|:--|--:|:--|
| Noradrenaline | 0.05 | first choice |
| Vasopressin | 0.03 | added when noradrenaline alone does not suffice to keep the pressure up |

```
pressure = diastolic + (systolic - diastolic) / 3
```
> The evidence is ~~strong~~ moderate.
"""
SIZES = [(80, 24), (120, 40)]
Compare = Callable[..., bool]


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(params=LOOKS)
def look(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    if request.param == "no-color":
        monkeypatch.setenv("NO_COLOR", "1")
        return None
    return str(request.param)


def test_markdown(look: str | None, size: tuple[int, int], snap_compare: Compare) -> None:
    app = FakeApp()

    async def reach(pilot: Pilot[None]) -> None:
        await ready(pilot, app)
        app.theme = look or app.theme
        app.chat.transcript.open([answered(1, "How is sepsis managed?", answer=MARKDOWN)], 1)
        await until(pilot, app.chat.transcript.turns)
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)


def test_variants_and_what_can_be_gone_on_with(look: str | None, size: tuple[int, int], snap_compare: Compare) -> None:
    app = FakeApp()
    cut = turn(2, answer="Sepsis is life-", state=TurnState.CUT, retry_of=1)

    async def reach(pilot: Pilot[None]) -> None:
        await ready(pilot, app)
        app.theme = look or app.theme
        app.chat.transcript.open([answered(1), cut], 2)
        await until(pilot, app.chat.transcript.turns)
        await pilot.press("alt+up")
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)
