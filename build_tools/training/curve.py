"""The loss curve as one SVG file: every step thin, their running mean bold, held-out losses as dots."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from build_tools.training import metrics
from build_tools.training.disk import disk_errors
from medlora_edge.files import write_atomic

NAME = "loss.svg"
WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 40, 44
SMOOTH = 0.9  # weight of the past in the running mean
TICKS = 5

Point = tuple[float, float]


def write(folder: Path, title: str) -> None:
    """Draw `metrics.jsonl` into `loss.svg` beside it. Raises ResourceError when the disk does not take it."""
    lines = metrics.read(folder)
    steps = [(line.step, line.loss) for line in lines if isinstance(line, metrics.StepLine)]
    held_out = [(line.step, line.held_out_loss) for line in lines if isinstance(line, metrics.EvaluationLine)]
    with disk_errors(NAME, folder):
        write_atomic(folder / NAME, svg(steps, held_out, title).encode())


def svg(steps: Sequence[Point], held_out: Sequence[Point], title: str) -> str:
    """The picture as text. Points are (step, nats a token)."""
    points = [*steps, *held_out] or [(0.0, 0.0)]
    scale = _Scale(max(x for x, _ in points), min(y for _, y in points), max(y for _, y in points))
    body = [
        f'<text x="{LEFT}" y="22" font-size="15">{escape(title)}</text>',
        *scale.axes(),
        _line(map(scale.place, steps), "#9bb8d3", 1),
        _line(map(scale.place, _smooth(steps)), "#1f5f99", 2),
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#c2410c"/>' for x, y in map(scale.place, held_out)),
        f'<text x="{WIDTH - RIGHT}" y="22" text-anchor="end" fill="#1f5f99">training'
        ' <tspan fill="#c2410c">held out</tspan></text>',
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="12"><rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
    )
    return "\n".join([head, *body, "</svg>", ""])


class _Scale:
    """From steps and losses to places on the page."""

    def __init__(self, last: float, low: float, high: float) -> None:
        self._last = max(last, 1.0)
        margin = 0.05 * (high - low) or 0.5
        self._low, self._high = max(low - margin, 0.0), high + margin

    def place(self, point: Point) -> Point:
        """Where a point lies, in pixels from the upper left."""
        x = LEFT + point[0] / self._last * (WIDTH - LEFT - RIGHT)
        y = TOP + (self._high - point[1]) / (self._high - self._low) * (HEIGHT - TOP - BOTTOM)
        return x, y

    def axes(self) -> Iterable[str]:
        """Grid lines with their values, and what the axes mean."""
        for share in (tick / (TICKS - 1) for tick in range(TICKS)):
            step, loss = share * self._last, self._low + share * (self._high - self._low)
            x, y = self.place((step, loss))
            yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e5e7eb"/>'
            yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{loss:.3g}</text>'
            yield f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{step:.0f}</text>'
        yield f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 8}" text-anchor="middle">step</text>'
        middle = HEIGHT / 2
        yield f'<text x="16" y="{middle}" text-anchor="middle" transform="rotate(-90 16 {middle})">nats a token</text>'


def _line(points: Iterable[Point], colour: str, width: int) -> str:
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def _smooth(points: Sequence[Point]) -> Iterable[Point]:
    """Exponential running mean, its start corrected (Adam, arXiv 1412.6980, section 3)."""
    mean = 0.0
    for count, (x, y) in enumerate(points, start=1):
        mean = SMOOTH * mean + (1 - SMOOTH) * y
        yield x, mean / (1 - SMOOTH**count)
