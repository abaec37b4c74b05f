"""Draw docs/screens/*.svg: the real app with the shipped model, asked as a user asks.

    python docs/screens.py

Everything lies in a folder of its own that goes afterwards.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from medlora_edge.history import TaskName

SCREENS = Path(__file__).parent / "screens"
SIZE = (100, 32)
WHOLE_REPORT = (100, 52)
PATIENCE_SECONDS = 120.0
QUESTION = "What are the symptoms of asthma?"
CHOICE = """A child wheezes every night and after running. Which drug relieves an attack?
(A) warfarin
(B) salbutamol
(C) metformin
(D) amoxicillin"""


async def draw() -> None:
    """Walk through the app and keep a picture of each station."""
    from medlora_edge.bench.library import sample
    from medlora_edge.settings import Settings
    from medlora_edge.tui.app import EdgeApp
    from medlora_edge.tui.session.session import Session

    settings = Settings()
    app = EdgeApp(lambda post: Session(post, settings=settings.engine), settings=settings)
    async with app.run_test(size=SIZE) as pilot:

        async def until(holds: Callable[[], object]) -> None:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not holds():
                    await asyncio.sleep(0.05)
            await pilot.pause(0.5)

        def keep(name: str) -> None:
            (SCREENS / f"{name}.svg").write_text(app.export_screenshot(title="medlora-edge"), encoding="utf-8")

        async def ask(task: TaskName, text: str, abstract: str = "") -> None:
            await pilot.press("ctrl+n")
            app.chat.write(task, text, abstract)
            await pilot.press("enter")
            await until(lambda: not app.chat.busy)

        await until(lambda: app.chat.standing.ready)
        keep("start")
        await ask("ask", QUESTION)
        keep("chat")
        asked = sample().items[0].question
        await ask("pubmedqa", asked.question, "\n\n".join(asked.contexts))
        keep("verdict")
        await ask("multiple_choice", CHOICE)
        keep("choice")
        await pilot.press("f5")
        await pilot.pause(1)
        await pilot.press("tab", "tab", "tab", "tab", "enter")
        await pilot.resize_terminal(*WHOLE_REPORT)
        await until(lambda: app.bench.at.results)
        keep("bench")


def main() -> None:
    """Draw into docs/screens."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["MEDLORA_HOME"] = home
        SCREENS.mkdir(exist_ok=True)
        asyncio.run(draw())


if __name__ == "__main__":
    main()
