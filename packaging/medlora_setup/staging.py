"""Puts a version together beside the running one: unpacked, joined, recorded, tested, and only then given its name."""

import os
import subprocess
from dataclasses import replace

from medlora_setup import archive, carrying, joining, state, steps
from medlora_setup.errors import Code, SetupError
from medlora_setup.installed_files import RECORDS
from medlora_setup.layout import PROGRAMS, Layout
from medlora_setup.manifest import Role
from medlora_setup.progress import Announce
from medlora_setup.state import State
from medlora_setup.verify import MANIFEST, SIGNATURE, Verified

SELF_TEST_SECONDS = 300
STARTER = "starter"  # in every bundle, and small: the other models are the user's to choose from


def stage(layout: Layout, verified: Verified, known: State, announce: Announce) -> State:
    """Install the verified bundle as a version that is not yet current; return the state, which counts it.

    Raises SetupError: exit 3 when the bundle changed since it was verified, 4 for a full disk, 7 when the staged
    program fails its self-test. What was staged is then gone again.
    """
    name = verified.manifest.folder_name
    known = replace(known, versions={**known.versions, name: verified.key.line})
    state.write(layout, known)
    steps.make_folder(layout.versions)
    sweep(layout, name)
    try:
        _fill(layout, verified, known, announce)
        _self_test(layout, name)
        steps.remove_tree(layout.version(name))
        steps.move(layout.staging(name), layout.version(name))
    finally:
        sweep(layout, name)
    return known


def sweep(layout: Layout, name: str) -> None:
    """Remove what an interrupted staging of this version left."""
    steps.remove_tree(layout.staging(name))
    steps.remove_tree(layout.home(name))


def _fill(layout: Layout, verified: Verified, known: State, announce: Announce) -> None:
    folder, manifest = layout.staging(verified.manifest.folder_name), verified.manifest
    steps.make_folder(folder)
    for role, what in ((Role.PYTHON, "python"), (Role.APP, "app")):
        count = announce(f"unpacking the {what}")
        archive.unpack(verified.place(role), folder, verified.contents[what], count)
    for join in manifest.joins:
        joining.join(layout, join, verified.folder, folder, announce(f"putting together the model {join.model}"))
    carrying.carry(layout, manifest, folder, known)
    for role, kept in RECORDS.items():
        steps.write_file(folder / kept, verified.read(role))
    steps.write_file(folder / SIGNATURE, verified.signature_text.encode())
    steps.write_file(folder / MANIFEST, verified.manifest_bytes)


def _self_test(layout: Layout, name: str) -> None:
    """Let the staged program answer, with a folder of its own in the place of the user's."""
    steps.make_folder(layout.home(name), 0o700)
    command = [str(layout.staging(name) / "bin" / PROGRAMS[0]), "self-test", "--model", STARTER, "--json"]
    environment = {**os.environ, "MEDLORA_HOME": str(layout.home(name))}
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SELF_TEST_SECONDS,
            check=False,
        )
        code, said = done.returncode, done.stderr.decode(errors="replace")
    except subprocess.TimeoutExpired:
        code, said = -1, f"no answer within {SELF_TEST_SECONDS} s"
    except OSError as error:
        code, said = -1, f"it cannot be started: {error.strerror} (is this disk mounted noexec?)"
    if code != 0:
        what = f"the new version fails its self-test on this machine: {' '.join(said.split())[-600:] or f'code {code}'}"
        fix = "nothing was changed; run preflight on this bundle, and report what it says"
        raise SetupError(what, where=command[0], fix=fix, code=Code.ENGINE)
