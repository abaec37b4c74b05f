"""What the model is stands at the top, whole, once, whatever the size of the terminal."""

import pytest

from medlora_edge.notice import DEMONSTRATION, NOTICE
from tests.tui.apps import FakeApp, ready, screen_text

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)], ids=str)
async def test_the_warning_is_read_whole_and_said_once(size: tuple[int, int]) -> None:
    app = FakeApp()
    app.fake.warning = DEMONSTRATION
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)
        await pilot.pause()
        shown = " ".join(screen_text(app).split())
        assert NOTICE.split(":")[0] in shown
        assert shown.count(DEMONSTRATION) == 1


async def test_a_model_without_a_warning_takes_no_line_for_it() -> None:
    app = FakeApp()
    async with app.run_test() as pilot:
        await ready(pilot, app)
        assert not app.chat.query_one("#warning").display
