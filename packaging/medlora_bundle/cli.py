"""The program `medlora-bundle`: makes and signs what is carried to a machine without a network."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from medlora_edge import __version__
from medlora_edge.cli import border
from medlora_edge.errors import ExitCode, MedloraError
from medlora_edge.privacy import clean
from medlora_setup.errors import SetupError

ABOUT = "Builds and signs the bundle that installs medlora-edge on a machine without a network."

app = border.program("medlora-bundle", ABOUT)
border.options(app, __version__)

Fetched = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of the lock and the files it names.")]
Bundle = Annotated[Path, typer.Argument(metavar="BUNDLE", help="The bundle's folder.")]
Serial = Annotated[int, typer.Option(min=1, help="Number of this bundle; only a higher one upgrades.")]
PublicKey = Annotated[Path, typer.Option("--key", help="Public minisign key that the bundle will be signed with.")]
NextKey = Annotated[Path | None, typer.Option(help="Public key that later bundles may be signed with, too.")]
Engine = Annotated[Path | None, typer.Option(metavar="WHEEL", help="An engine wheel built before; else it is built.")]
Models = Annotated[
    list[Path] | None, typer.Option("--model", metavar="FILE", help="A GGUF to bring along; repeatable.")
]
Revoked = Annotated[list[int] | None, typer.Option("--revoke", metavar="SERIAL", help="A bundle no longer to be used.")]
Oldest = Annotated[
    int, typer.Option(min=1, metavar="SERIAL", help="The lowest installed bundle that this one upgrades.")
]
SecretKey = Annotated[Path, typer.Option("--key", help="Secret minisign key; its password is asked for.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def fetch(folder: Fetched) -> None:
    """Download everything a bundle is made from into the new FOLDER. The only command that uses a network."""
    from medlora_bundle.fetch import fetch as bring

    _tell("downloading what a bundle is made from")
    lock = bring(folder)
    state = ", with changes" if lock.source.dirty else ""
    _say(f"{len(lock.files)} files, medlora-edge {lock.version} at {lock.source.commit[:12]}{state}: {folder}")


@app.command()
def build(
    folder: Fetched,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder in which the bundle's folder is made.")],
    *,
    serial: Serial,
    key: PublicKey,
    engine: Engine = None,
    model: Models = None,
    next_key: NextKey = None,
    revoke: Revoked = None,
    upgrades_from: Oldest = 1,
) -> None:
    """Make the unsigned bundle, without a network, from the locked files in FOLDER alone."""
    from medlora_bundle import wheel_gates
    from medlora_bundle.build import Inputs
    from medlora_bundle.build import build as assemble

    inputs = Inputs(
        fetched=folder,
        serial=serial,
        key=key,
        engine=engine,
        models=tuple(model or ()),
        min_upgrade_from=upgrades_from,
        next_key=next_key,
        revoked=tuple(revoke or ()),
    )
    if engine is not None:  # a bundle for any processor holds an engine for any processor
        wheel_gates.check(engine)
    with _in_words():
        _say(f"made {assemble(inputs, out, _tell)}: sign it next")


@app.command()
def sign(bundle: Bundle, *, key: SecretKey) -> None:
    """Sign BUNDLE, verify it as the laptop will, and print the card that goes there on paper."""
    from medlora_bundle.signing import sign as put_signature

    with _in_words():
        _say(put_signature(bundle, key, lambda: typer.prompt("Password", hide_input=True, err=True)).text)


@app.command()
def inspect(bundle: Bundle, *, as_json: Json = False) -> None:
    """Say what BUNDLE is: version, key, signature, what it needs, what it was built from. Verifies no file."""
    from medlora_bundle.inspecting import inspect as look_at

    with _in_words():
        seen = look_at(bundle)
    typer.echo(json.dumps(seen.document(), indent=2) if as_json else clean(seen.text))


def _say(text: str) -> None:
    typer.echo(clean(text))


def _tell(begun: str) -> None:
    typer.echo(clean(begun), err=True)


@contextmanager
def _in_words() -> Iterator[None]:
    """Errors of the laptop's side end this program as its own do."""
    try:
        yield
    except SetupError as refused:
        error = MedloraError(refused.what, where=refused.where, fix=refused.fix)
        error.code = ExitCode(refused.code)
        raise error from refused


def main() -> NoReturn:
    """Run the program and exit with one of the documented codes."""
    border.run(app)


if __name__ == "__main__":
    main()
