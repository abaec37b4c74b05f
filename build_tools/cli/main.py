"""The program `medlora-build`: mounts the commands."""

from typing import NoReturn

from build_tools.cli import chain
from build_tools.cli.adapter import adapter
from build_tools.cli.bench import bench
from build_tools.cli.check import check
from build_tools.cli.fetch import fetch
from build_tools.cli.preview import preview
from build_tools.cli.ship import ship
from build_tools.cli.sweep import sweep
from build_tools.cli.verify import verify
from medlora_edge import __version__
from medlora_edge.cli import border

ABOUT = "From an open model and medical text to a measured GGUF: data, QLoRA, merge, export, quantise, gates."

app = border.program("medlora-build", ABOUT)
border.options(app, __version__)

app.command()(fetch)
app.command()(check)
app.command()(preview)
app.command()(chain.run)
app.command()(chain.train)
app.command()(chain.merge)
app.command()(chain.export)
app.command()(chain.quantize)
app.command()(chain.gate)
app.command()(chain.card)
app.command()(bench)
app.command()(ship)
app.command()(adapter)
app.command()(verify)
app.command()(sweep)


def main() -> NoReturn:
    """Run the program and exit with one of the documented codes."""
    border.run(app)


if __name__ == "__main__":
    main()
