"""The commands of `medlora-setup`: each takes its arguments, lets the work be done, shows the result."""

from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import asdict

from medlora_setup import carrying, machine, state, terminal, trust
from medlora_setup.errors import Code, SetupError
from medlora_setup.holding import require_owner
from medlora_setup.install import install
from medlora_setup.layout import Layout, layout_at, user_folders
from medlora_setup.manifest import read
from medlora_setup.preflight import judge, require_fit
from medlora_setup.qualify import qualify
from medlora_setup.result import Result
from medlora_setup.rollback import plan, rollback
from medlora_setup.status import as_it_should_be, status
from medlora_setup.uninstall import uninstall
from medlora_setup.upgrade import upgrade
from medlora_setup.verify import read_manifest_bytes

Command = Callable[[Namespace], Code]


def run_verify(given: Namespace) -> Code:
    """Check every byte of a bundle; write nothing."""
    trusted = trust.here(layout_at(given.prefix), given.bundle, given.key, terminal.ask)
    verified = trusted.verify(given.bundle, terminal.announce)
    manifest = verified.manifest
    facts = {
        "bundle": str(given.bundle),
        "version": manifest.version,
        "serial": manifest.serial,
        "created": manifest.created,
        "key": verified.key.fingerprint,
        "files": len(manifest.files),
        "bytes": sum(file.size for file in manifest.files),
    }
    _show(given, facts, [f"{name:<8} {fact}" for name, fact in facts.items()] + ["every file is as it was signed"])
    return Code.DONE


def run_preflight(given: Namespace) -> Code:
    """Say whether a bundle will run on this machine. The bundle itself is not verified by this."""
    layout, manifest = layout_at(given.prefix), read(read_manifest_bytes(given.bundle))
    there = carrying.linkable_bytes(layout, manifest.joins, state.read(layout))
    findings = judge(machine.look(layout.prefix), manifest, there)
    facts = {"findings": [asdict(finding) for finding in findings]}
    _show(given, facts, [f"{finding.level:<8} {finding.subject:<10} {finding.words}" for finding in findings])
    require_fit(findings)
    return Code.DONE


def run_install(given: Namespace) -> Code:
    """Verify a bundle and install it on a machine that has none."""
    layout = layout_at(given.prefix)
    trusted = trust.here(layout, given.bundle, given.key, terminal.ask)
    return _done(given, install(layout, given.bundle, trusted, terminal.announce))


def run_upgrade(given: Namespace) -> Code:
    """Verify a newer bundle with the installed key and start its version from now on."""
    return _done(given, upgrade(_own_installation(given), given.bundle, terminal.announce))


def run_rollback(given: Namespace) -> Code:
    """Go back to the version before the last upgrade, with the chats as they were then."""
    layout = _own_installation(given)
    wanted = plan(layout)
    question = f"Go back from {wanted.current} to {wanted.to}?"
    if wanted.chats:
        question += f"\nChats become those from before the upgrade; newer ones are set aside beside {wanted.chats}."
    if not given.yes and not terminal.ask(question):
        raise _not_agreed("--yes says so in a script")
    return _done(given, rollback(layout))


def run_status(given: Namespace) -> Code:
    """Check that what is installed is still what was signed or taken along."""
    found = status(layout_at(given.prefix), terminal.announce)
    facts = asdict(found)
    lines = [f"{name:<15} {fact}" for name, fact in facts.items() if name != "changes"]
    lines += [f"CHANGED: {change.path}: {change.what}" for change in found.changes]
    _show(given, facts, lines if found.changes else [*lines, as_it_should_be(found)])
    return Code.CORRUPT if found.changes else Code.DONE


def run_uninstall(given: Namespace) -> Code:
    """Remove the program; with --purge this user's chats, models and settings too."""
    layout = _own_installation(given)
    state.require(layout)
    if given.purge:
        folders = "\n".join(f"  {folder}" for folder in user_folders())
        if not terminal.ask(f"This destroys all chats, models and settings of this user for good:\n{folders}", "purge"):
            raise _not_agreed("leave out --purge to keep the data")
    return _done(given, uninstall(layout, purge=given.purge))


def run_qualify(given: Namespace) -> Code:
    """Examine what is installed, without a network, and write the report that is filed."""
    filed = qualify(layout_at(given.prefix), given.out, say=terminal.step)
    failed = filed.qualification.failed
    facts = {"passed": not failed, "page": str(filed.page), "record": str(filed.record)}
    verdict = "FAILED: the report says what" if failed else "passed"
    _show(given, facts, [f"installation qualification {verdict}", f"page     {filed.page}", f"record   {filed.record}"])
    return Code.GATE if failed else Code.DONE


def _own_installation(given: Namespace) -> Layout:
    layout = layout_at(given.prefix)
    require_owner(layout)
    return layout


def _done(given: Namespace, result: Result) -> Code:
    lines = [f"{result.done}: {result.version}"]
    lines += [f"start it with: {result.program}"] if result.program else []
    lines += [f"`medlora-setup rollback` goes back to {result.previous}"] if result.previous else []
    lines += [f"kept: {path}" for path in result.kept]
    _show(given, asdict(result), lines)
    return Code.DONE


def _show(given: Namespace, facts: Mapping[str, object], lines: list[str]) -> None:
    if given.json:
        terminal.show_json(facts)
    else:
        terminal.show(lines)


def _not_agreed(fix: str) -> SetupError:
    return SetupError("not agreed to: nothing was changed", fix=fix, code=Code.USAGE)
