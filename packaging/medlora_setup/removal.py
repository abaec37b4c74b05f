"""Removes an installation by a few shell commands: an interpreter cannot be started again from half its files."""

import shlex
import subprocess
from collections.abc import Collection, Iterator
from pathlib import Path

from medlora_setup import installed_files, steps
from medlora_setup.errors import Code, SetupError
from medlora_setup.layout import PROGRAMS, Layout
from medlora_setup.state import State
from medlora_setup.survey import strays

COMMANDS = """\
rm -f bin/medlora-edge current
rm -rf {trees}
rmdir versions backups 2>/dev/null || :
rm -f state.json lock {drafts} bin/medlora-setup
rmdir bin 2>/dev/null || :
cd /
rmdir {folders} 2>/dev/null || :
"""
SCRIPT = """\
#!/bin/sh
# Removes what medlora-setup had installed here, and nothing else. `medlora-setup uninstall` put it in that program's
# place while it did the same, so that an uninstall that was interrupted can be finished.
set -eu
if [ "${{1-}}" != uninstall ]; then
    echo "an uninstall was interrupted; finish it with: $0 uninstall" >&2
    exit 2
fi
cd "$(dirname "$(readlink -f "$0")")/.."
finish() {{
{commands}}}
finish
"""


def remove(layout: Layout, known: State) -> tuple[str, ...]:
    """Remove all that setup made; return the paths of what is not its own and therefore left.

    Raises SetupError (exit 4) when something could not be removed.
    """
    text = f"set -eu\n{commands(layout, known)}".encode(errors="surrogateescape")
    done = subprocess.run(["/bin/sh"], input=text, cwd=layout.prefix, capture_output=True, check=False)
    if done.returncode:
        what = f"not everything could be removed: {done.stderr.decode(errors='replace').strip()}"
        fix = f"see who may write there, then run '{layout.programs / PROGRAMS[1]}' uninstall again"
        raise SetupError(what, where=str(layout.prefix), fix=fix, code=Code.RESOURCES)
    return tuple(str(path) for path in sorted(layout.prefix.rglob("*")) if not path.is_dir() or path.is_symlink())


def leave_script(layout: Layout, known: State) -> None:
    """Put a script in the place of medlora-setup that removes the same when it is asked to uninstall."""
    steps.make_folder(layout.programs)
    text = SCRIPT.format(commands=commands(layout, known)).encode(errors="surrogateescape")
    steps.write_file(layout.programs / PROGRAMS[1], text, 0o755)


def commands(layout: Layout, known: State) -> str:
    """Shell commands to be run in the prefix. Each may be run twice; what can be started goes first."""
    trees = [path.relative_to(layout.prefix) for name in known.versions for path in _trees(layout, known, name)]
    backups = [f"backups/{name}{end}" for name in known.backups for end in ("", ".new")]
    drafts = (".state.json.new", ".current.new", "bin/.medlora-edge.new", "bin/.medlora-setup.new")
    return COMMANDS.format(
        trees=_quoted([str(path) for path in trees] + backups),
        drafts=_quoted(drafts),
        folders=_quoted(reversed(known.created)),
    )


def _trees(layout: Layout, known: State, name: str) -> Iterator[Path]:
    yield layout.staging(name)
    yield layout.home(name)
    yield from _without(layout.version(name), _foreign(layout.version(name), known.versions[name]))


def _foreign(version: Path, key: str) -> set[Path]:
    """Files in a version's folder that did not come with it; none where its record cannot be read."""
    try:
        files = installed_files.files_of(version, installed_files.manifest_of(version, key))
        listed = {*installed_files.UNHASHED, *(file.path for file in files)}
        return {version / path for path in strays(version, listed) if path not in listed}
    except SetupError:
        return set()


def _without(tree: Path, kept: Collection[Path]) -> Iterator[Path]:
    """The fewest paths that cover `tree` but for what is in `kept`."""
    if tree in kept:
        return
    if not any(path.is_relative_to(tree) for path in kept):
        yield tree
        return
    for path in sorted(tree.iterdir()):
        yield from _without(path, kept)


def _quoted(paths: Collection[str] | Iterator[str]) -> str:
    return " ".join(shlex.quote(path) for path in paths)
