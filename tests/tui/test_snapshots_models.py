"""Pictures of the model page: a whole catalogue in every look, a damaged model, an answer that has to be stopped."""

from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from medlora_edge.errors import CorruptError
from medlora_edge.models import AdapterFile, Entry, FileState, MemoryPlan, Model, Surveyed
from medlora_edge.models.units import GIB, MIB
from medlora_edge.tui.about_models import choosing
from medlora_edge.tui.about_models.model_rows import InUse, rows
from medlora_edge.tui.screens.choice import Choice
from medlora_edge.tui.screens.models import ModelPage
from medlora_edge.tui.widgets.model_list import ModelList
from tests.tui.apps import FakeApp, a_model, ask, ready, until
from tests.tui.fake_session import Hang, Say
from tests.tui.test_snapshots import LOOKS, SIZES, Compare, settle

HOME = Path("/home/ana/.local/share/medlora-edge/models")


def installed(name: str, size: int, **facts: object) -> Model:
    plain = a_model(name)
    known = {"name": name, "size_bytes": size, "parameters": 2 * size, "licence": "apache-2.0", **facts}
    return replace(plain, path=HOME / name / f"{name}.gguf", manifest=plain.manifest.model_copy(update=known))


STARTER = replace(installed("starter", 12 * MIB, demonstration=True, notes="Trained on PubMedQA alone."), shipped=True)
MEDICAL = installed("medical-7b", 4 * GIB, licence="llama2", context_length=32768)
LARGE = installed("large-13b", 7 * GIB)
CUT = installed("cut-3b", 2 * GIB)


def needs(model: Model) -> MemoryPlan:
    size = model.manifest.size_bytes
    return MemoryPlan(4096, size, 512 * MIB, 60 * MIB, 456 * MIB, 6 * GIB, 8192 if size < 5 * GIB else 0)


def catalogue() -> tuple[Surveyed, ...]:
    cut = CorruptError(
        "the model 'cut-3b' is no longer the file that was installed: it has 1000 bytes, not the 2147483648 it had",
        where=str(CUT.path),
        fix="remove it with `medlora-edge models remove cut-3b` and add it again",
    )
    adapter = AdapterFile(HOME / "medical-7b" / "cardiology.gguf")
    return (
        Surveyed(Entry(CUT.name, CUT), FileState.CHANGED, problem=cut),
        Surveyed(Entry(LARGE.name, LARGE), FileState.UNCHECKED, needs(LARGE)),
        Surveyed(Entry(MEDICAL.name, MEDICAL), FileState.INTACT, needs(MEDICAL), (adapter,)),
        Surveyed(Entry(STARTER.name, STARTER), FileState.INTACT, needs(STARTER)),
    )


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> FakeApp:
    monkeypatch.setattr(choosing, "listed", lambda _, now: rows(catalogue(), InUse(now.model, default="medical-7b")))
    monkeypatch.setattr("medlora_edge.models.words.file_state", lambda _: FileState.INTACT)
    return FakeApp(model=STARTER)


async def opened(pilot: Pilot[None], app: FakeApp) -> ModelList:
    await ready(pilot, app)
    await pilot.press("f4")
    await until(pilot, lambda: isinstance(app.screen, ModelPage) and app.screen.query_one(ModelList).row)
    return app.screen.query_one(ModelList)


@pytest.mark.parametrize("look", LOOKS)
def test_models(
    look: str, size: tuple[int, int], snap_compare: Compare, app: FakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    if look == "no-color":
        monkeypatch.setenv("NO_COLOR", "1")
        app = FakeApp(model=STARTER)
    else:
        app.theme = look

    async def reach(pilot: Pilot[None]) -> None:
        await opened(pilot, app)
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)


def test_damaged(app: FakeApp, size: tuple[int, int], snap_compare: Compare) -> None:
    async def reach(pilot: Pilot[None]) -> None:
        await opened(pilot, app)
        await pilot.press("home", "enter")
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)


def test_answer_under_way(app: FakeApp, size: tuple[int, int], snap_compare: Compare) -> None:
    app.fake.script(Say("Sepsis is"), Hang())

    async def reach(pilot: Pilot[None]) -> None:
        await ready(pilot, app)
        await ask(pilot, app)
        await until(pilot, lambda: app.chat.standing.doing == "answering 1")
        await opened(pilot, app)
        await pilot.press("up", "up", "enter")
        await until(pilot, lambda: isinstance(app.screen, Choice))
        await settle(pilot, app)

    assert snap_compare(app, terminal_size=size, run_before=reach)
