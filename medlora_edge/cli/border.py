"""The border of every program: turns every error into words and a documented exit code."""

import errno
import os
import sys
import traceback
from typing import Annotated, NoReturn

import typer

from medlora_edge.errors import ExitCode, MedloraError

DEBUG = "MEDLORA_DEBUG"


def _debug(wanted: bool) -> None:
    if wanted:
        os.environ[DEBUG] = "1"


Debug = Annotated[bool, typer.Option("--debug", callback=_debug, is_eager=True, help="Show the traceback of an error.")]


def program(name: str, about: str) -> typer.Typer:
    """An empty program in the manner of the project: plain help, errors left to `run`."""
    return typer.Typer(
        name=name,
        help=about,
        invoke_without_command=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def options(app: typer.Typer, version: str) -> None:
    """Give a program `--debug` and `--version`, and let it show its help where no command is named."""

    def show_version(wanted: bool) -> None:
        if wanted:
            typer.echo(f"{app.info.name} {version}")
            raise typer.Exit

    @app.callback()
    def without_command(
        context: typer.Context,
        debug: Debug = False,  # noqa: ARG001 - handled by its callback
        version: Annotated[  # noqa: ARG001 - handled by its callback
            bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version.")
        ] = False,
    ) -> None:
        if context.invoked_subcommand is None:
            typer.echo(context.get_help())


def run(app: typer.Typer) -> NoReturn:
    """Run a program and exit with one of the documented codes."""
    try:
        code = app(standalone_mode=False) or ExitCode.DONE
    except typer.TyperException as error:
        code = _usage(error, str(app.info.name))
    except (KeyboardInterrupt, typer.Abort):
        code = _say("stopped", ExitCode.STOPPED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.DONE
    except MedloraError as error:
        code = _say(str(error), error.code, error)
    except OSError as error:
        code = _say(*_explain(error), error)
    except ModuleNotFoundError as error:
        what = f"the library {error.name} is not installed\n  what to do: pip install 'medlora-edge[build]'"
        code = _say(what, ExitCode.USAGE, error)
    except Exception as error:  # noqa: BLE001 - the program's border: a user sees words, --debug shows the rest
        what = f"unexpected {type(error).__name__}: {error}\n  what to do: run again with --debug and report it"
        code = _say(what, ExitCode.UNEXPECTED, error)
    sys.exit(code)


def _usage(error: typer.TyperException, name: str) -> int:
    """Wrong arguments, in typer's words."""
    message = getattr(error, "format_message", error.__str__)()
    return _say(f"{message}\n  what to do: {name} --help", ExitCode.USAGE, error)


def _say(what: str, code: int, error: Exception | None = None) -> int:
    from medlora_edge.privacy import clean

    if error and DEBUG in os.environ:
        print(clean("".join(traceback.format_exception(error))), end="", file=sys.stderr)
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
