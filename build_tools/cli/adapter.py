"""`medlora-build adapter`: a trained adapter alone as a GGUF, to be loaded beside its base."""

from pathlib import Path
from typing import Annotated

import typer

from medlora_edge.errors import UsageError
from medlora_edge.privacy import clean

Trained = Annotated[Path, typer.Argument(metavar="ADAPTER", help="A trained adapter: RUN/train/STAGE/adapter.")]
Base = Annotated[Path, typer.Argument(metavar="BASE", help="The Hugging Face folder that it was trained on.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="The GGUF to write.")]


def adapter(trained: Trained, base: Base, file: File) -> None:
    """Write a trained adapter as a GGUF of its own; refused where llama.cpp would compute something else with it."""
    from build_tools.gguf.adapter import convert_adapter
    from build_tools.merging.adapter import check

    if file.exists():
        raise UsageError("the file is there already", where=str(file), fix="choose another name, or remove it")
    check(trained, base)
    convert_adapter(trained, base, file)
    typer.echo(clean(f"{file}: use it with its base, medlora-edge ask ... --model BASE.gguf --adapter {file}"))
