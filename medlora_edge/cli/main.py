"""The program `medlora-edge`: mounts the command groups and turns every error into words and an exit code."""

import errno
import os
import sys
import traceback
from typing import Annotated, NoReturn

import typer

from medlora_edge import __version__
from medlora_edge.cli import bench, data, models
from medlora_edge.cli.ask import ask
from medlora_edge.cli.doctor import doctor
from medlora_edge.cli.parse import parse
from medlora_edge.cli.paths import show_paths
from medlora_edge.errors import ExitCode, MedloraError

DEBUG = "MEDLORA_DEBUG"
NOTICE = "Decision support only: answers may be wrong and never replace clinical judgement."

app = typer.Typer(
    name="medlora-edge",
    help=f"Clinical question answering that runs entirely on this machine.\n\n{NOTICE}",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


app.command()(ask)
app.add_typer(bench.app, name="bench")
app.add_typer(models.app, name="models")
app.add_typer(data.app, name="data")
app.command()(parse)
app.command()(doctor)
app.command("paths")(show_paths)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"medlora-edge {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[  # noqa: ARG001 - handled by its callback
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    if debug:
        os.environ[DEBUG] = "1"
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> NoReturn:
    """Run the program and exit with one of the documented codes."""
    try:
        code = app(standalone_mode=False) or ExitCode.DONE
    except typer.TyperException as error:
        code = _usage(error)
    except (KeyboardInterrupt, typer.Abort):
        code = _say("stopped", ExitCode.STOPPED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.DONE
    except MedloraError as error:
        code = _say(str(error), error.code, error)
    except OSError as error:
        code = _say(*_explain(error), error)
    except Exception as error:  # noqa: BLE001 - the program's border: a user sees words, --debug shows the rest
        what = f"unexpected {type(error).__name__}: {error}\n  what to do: run again with --debug and report it"
        code = _say(what, ExitCode.UNEXPECTED, error)
    sys.exit(code)


def _usage(error: typer.TyperException) -> int:
    """Wrong arguments, in typer's words."""
    message = getattr(error, "format_message", error.__str__)()
    return _say(f"{message}\n  what to do: medlora-edge --help", ExitCode.USAGE, error)


def _say(what: str, code: int, error: Exception | None = None) -> int:
    from medlora_edge.privacy import clean

    if error and DEBUG in os.environ:
        traceback.print_exception(error)
    print(f"error: {clean(what)}" if error else clean(what), file=sys.stderr)
    return code


def _explain(error: OSError) -> tuple[str, ExitCode]:
    """What the operating system refused, and the exit code for it."""
    where = f"\n  where: {error.filename}" if error.filename else ""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EROFS | errno.EACCES | errno.EPERM | errno.ENOMEM:
            return (
                f"{error.strerror}{where}\n  what to do: free space or choose another place",
                ExitCode.RESOURCES,
            )
        case errno.ENOENT | errno.EISDIR | errno.ENOTDIR | errno.EEXIST:
            return f"{error.strerror}{where}", ExitCode.USAGE
    return f"{error.strerror or error}{where}", ExitCode.UNEXPECTED


if __name__ == "__main__":
    main()
