"""The program `medlora-setup`: reads the command line, and turns every error into words and an exit code."""

import errno
import os
import sys
import traceback
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import NoReturn

from medlora_setup import commands
from medlora_setup.commands import Command
from medlora_setup.errors import Code, SetupError
from medlora_setup.terminal import clean

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM}
NOT_WRITABLE = {errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
WRONG_PATH = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG}


def main() -> NoReturn:
    """Run the program and exit with one of the documented codes."""
    try:
        sys.exit(run(sys.argv[1:]))
    finally:
        _end_output()


def run(arguments: list[str]) -> int:
    """Run one command; return its exit code."""
    os.umask(0o022)  # an installation is readable by all, whatever the umask of its installer
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    given = parser().parse_args(arguments or ["--help"])
    try:
        return int(given.command(given))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return Code.STOPPED
    except BrokenPipeError:
        return Code.DONE
    except SetupError as error:
        return _say(error, error.code, given)
    except OSError as error:
        return _say(*_explained(error), given)
    except Exception as error:  # noqa: BLE001 - the program's border: a user sees words, --debug shows the rest
        what = f"unexpected {type(error).__name__}: {error}\n  what to do: run again with --debug and report it"
        return _say(what, Code.UNEXPECTED, given)


def _end_output() -> None:
    """A reader that has gone is no failure, not even when Python ends and writes what is left; a full disk is one."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            words, code = _explained(error)
            print(f"error: {words}", file=sys.stderr)
            sys.exit(code)


def parser() -> ArgumentParser:
    """The command line."""
    top = ArgumentParser("medlora-setup", description="Installs medlora-edge from a signed bundle, without a network.")
    group = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Command, *, bundle: bool = False) -> ArgumentParser:
        added = group.add_parser(name, help=run.__doc__, description=run.__doc__)
        if bundle:
            added.add_argument("bundle", type=Path, metavar="BUNDLE", help="the bundle's folder")
        added.add_argument("--prefix", type=Path, metavar="DIR", help="where it is, or is to be, installed")
        added.add_argument("--json", action="store_true", help="print one JSON object")
        added.add_argument("--debug", action="store_true", help="show the traceback of an error")
        added.set_defaults(command=run)
        return added

    for name, run in (("verify", commands.run_verify), ("install", commands.run_install)):
        key = "fingerprint of the bundle's key, from the printed card"
        command(name, run, bundle=True).add_argument("--key", metavar="FINGERPRINT", help=key)
    command("preflight", commands.run_preflight, bundle=True)
    command("upgrade", commands.run_upgrade, bundle=True)
    command("rollback", commands.run_rollback).add_argument("--yes", action="store_true", help="do not ask")
    command("status", commands.run_status)
    purge = "destroy this user's chats, models and settings too; asks for a typed confirmation"
    command("uninstall", commands.run_uninstall).add_argument("--purge", action="store_true", help=purge)
    out = "file or folder for the report; by default one named after version and time in this folder"
    command("qualify", commands.run_qualify).add_argument("--out", type=Path, metavar="PATH", help=out)
    return top


def _say(error: object, code: Code, given: Namespace) -> Code:
    if given.debug:
        traceback.print_exc()
    print(f"error: {clean(str(error))}", file=sys.stderr)
    return code


def _explained(error: OSError) -> tuple[str, Code]:
    """What the operating system refused, and the exit code for it."""
    where = f"\n  where: {error.filename}" if error.filename else ""
    if error.errno in NO_ROOM | NOT_WRITABLE:
        fix = "free space, or choose another place with --prefix"
        return f"the disk refused to write: {error.strerror}{where}\n  what to do: {fix}", Code.RESOURCES
    code = Code.USAGE if error.errno in WRONG_PATH else Code.UNEXPECTED
    return f"{error.strerror or error}{where}", code
