"""Judges whether a bundle will run on a machine, before anything is installed: every finding in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from medlora_setup.cpu import LEVELS
from medlora_setup.errors import Code, SetupError
from medlora_setup.machine import Machine
from medlora_setup.manifest_records import Manifest, Platform

MIB = 1 << 20
CLOCK_SLACK = timedelta(days=1)


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    WARNING = "warning"
    REFUSAL = "refusal"


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, in words; for a refusal what to do and the exit code."""

    subject: str
    level: Level
    words: str
    fix: str | None = None
    code: Code = Code.DONE


def judge(machine: Machine, manifest: Manifest, there_bytes: int = 0) -> tuple[Finding, ...]:
    """Everything that was looked at, platform first, then room, then what is only worth knowing.

    `there_bytes` of the bundle's models are on the disk already and will only be linked.
    """
    needs = manifest.platform
    return (
        _system(machine, needs),
        _processor(machine, needs),
        _c_library(machine, needs),
        _memory(machine, needs),
        *_place(machine, replace(needs, disk_min_mb=max(0, needs.disk_min_mb - there_bytes // MIB))),
        _swap(machine),
        _clock(machine, manifest.created),
    )


def require_fit(findings: Sequence[Finding]) -> None:
    """Raise SetupError naming every refusal: exit 10 when one is about the platform, else exit 4."""
    refused = [finding for finding in findings if finding.level is Level.REFUSAL]
    if not refused:
        return
    code = max(finding.code for finding in refused)
    what = "; ".join(finding.words for finding in refused)
    fixes = dict.fromkeys(finding.fix for finding in refused if finding.fix)
    raise SetupError(what, where=_subjects(refused), fix="; ".join(fixes), code=code)


def _system(machine: Machine, needs: Platform) -> Finding:
    seen = f"{machine.system} on {machine.arch}"
    if (machine.system, machine.arch) == (needs.os, needs.arch):
        return Finding("system", Level.OK, f"{seen}, kernel {machine.kernel}")
    return _platform("system", f"this machine is {seen}; the bundle is for {needs.os} on {needs.arch}")


def _processor(machine: Machine, needs: Platform) -> Finding:
    level = LEVELS.get(needs.cpu_min)
    if level is None:
        return _platform("processor", f"the bundle asks for the processor level {needs.cpu_min}, unknown here")
    if machine.features is None:
        return _platform("processor", "the C library cannot tell what the processor has")
    if missing := sorted(level - machine.features):
        words = f"the processor is below {needs.cpu_min}: it lacks {', '.join(missing)}"
        return _platform("processor", words, fix="use a machine with a processor made since about 2009")
    return Finding("processor", Level.OK, f"has all of {needs.cpu_min}")


def _c_library(machine: Machine, needs: Platform) -> Finding:
    if machine.glibc is None:
        return _platform("C library", f"the C library is not glibc; the bundle needs glibc {needs.glibc_min}")
    if _number(machine.glibc) < _number(needs.glibc_min):
        return _platform("C library", f"the C library is glibc {machine.glibc}; the bundle needs {needs.glibc_min}")
    return Finding("C library", Level.OK, f"glibc {machine.glibc}")


def _memory(machine: Machine, needs: Platform) -> Finding:
    seen = machine.memory_bytes // MIB
    if seen >= needs.ram_min_mb:
        return Finding("memory", Level.OK, f"{seen} MiB")
    words = f"the machine has {seen} MiB of memory; the bundle needs {needs.ram_min_mb} MiB"
    return Finding("memory", Level.REFUSAL, words, "use a machine with more memory", Code.RESOURCES)


def _place(machine: Machine, needs: Platform) -> Iterator[Finding]:
    place, fix = machine.place, "choose another place with --prefix"
    if place.problem:
        yield Finding("place", Level.REFUSAL, f"{place.folder}: {place.problem}", fix, Code.RESOURCES)
        return
    yield Finding("place", Level.OK, f"{place.folder} can be written, renamed and linked in")
    free = place.free_bytes // MIB
    if free >= needs.disk_min_mb:
        yield Finding("disk", Level.OK, f"{free} MiB free")
        return
    words = f"the disk has {free} MiB free at {place.folder}; the bundle needs {needs.disk_min_mb} MiB"
    yield Finding("disk", Level.REFUSAL, words, f"free space, or {fix}", Code.RESOURCES)


def _swap(machine: Machine) -> Finding:
    if not machine.plain_swaps:
        return Finding("swap", Level.OK, "none, or encrypted")
    areas = ", ".join(machine.plain_swaps)
    return Finding("swap", Level.WARNING, f"not seen to be encrypted: {areas}; text in memory can be written there")


def _clock(machine: Machine, created: str) -> Finding:
    if machine.now + CLOCK_SLACK < datetime.fromisoformat(created):
        return Finding("clock", Level.WARNING, f"it says {machine.now:%Y-%m-%d}, before the bundle was made: {created}")
    return Finding("clock", Level.OK, f"{machine.now:%Y-%m-%d}")


def _platform(subject: str, words: str, fix: str = "get a bundle that is made for this machine") -> Finding:
    return Finding(subject, Level.REFUSAL, words, fix, Code.PLATFORM)


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())


def _subjects(findings: Sequence[Finding]) -> str:
    return ", ".join(finding.subject for finding in findings)
