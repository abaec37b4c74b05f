"""What is judged before an installation, on machines of every kind."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from medlora_setup import cpu, machine, preflight
from medlora_setup.errors import Code, SetupError
from medlora_setup.machine import TRIAL, Machine, Place
from medlora_setup.preflight import Level, judge, require_fit
from tests.packaging_setup import toy

PLATFORM = replace(toy.PLATFORM, ram_min_mb=2048, disk_min_mb=500)
MANIFEST = toy.manifest_of(toy.Toy(platform=PLATFORM), dict.fromkeys(toy.PAYLOAD, b""))
LAPTOP = Machine(
    system="linux",
    kernel="6.1.0",
    arch="x86_64",
    glibc="2.36",
    features=frozenset(cpu.FEATURES),
    memory_bytes=8 << 30,
    plain_swaps=(),
    place=Place(Path("/opt"), 10 << 30, None),
    now=datetime(2026, 12, 1, tzinfo=UTC),
)


def judged(laptop: Machine) -> dict[str, preflight.Finding]:
    return {finding.subject: finding for finding in judge(laptop, MANIFEST)}


def test_a_good_laptop_fits() -> None:
    findings = judge(LAPTOP, MANIFEST)
    assert {finding.level for finding in findings} == {Level.OK}
    require_fit(findings)


REFUSED: dict[str, tuple[Machine, str, Code, str]] = {
    "old processor": (replace(LAPTOP, features=frozenset({"SSE3"})), "processor", Code.PLATFORM, "SSE4.2"),
    "one instruction short": (
        replace(LAPTOP, features=frozenset(cpu.FEATURES) - {"POPCNT"}),
        "processor",
        Code.PLATFORM,
        "it lacks POPCNT",
    ),
    "unknown processor": (replace(LAPTOP, features=None), "processor", Code.PLATFORM, "cannot tell"),
    "another system": (replace(LAPTOP, system="freebsd"), "system", Code.PLATFORM, "freebsd on x86_64"),
    "another architecture": (replace(LAPTOP, arch="aarch64"), "system", Code.PLATFORM, "linux on aarch64"),
    "old C library": (replace(LAPTOP, glibc="2.31"), "C library", Code.PLATFORM, "glibc 2.31"),
    "much older C library": (replace(LAPTOP, glibc="2.4"), "C library", Code.PLATFORM, "glibc 2.4;"),
    "another C library": (replace(LAPTOP, glibc=None), "C library", Code.PLATFORM, "not glibc"),
    "little memory": (replace(LAPTOP, memory_bytes=1 << 30), "memory", Code.RESOURCES, "1024 MiB"),
    "little room": (replace(LAPTOP, place=Place(Path("/opt"), 100 << 20, None)), "disk", Code.RESOURCES, "100 MiB"),
    "read-only": (replace(LAPTOP, place=Place(Path("/opt"), 0, "it cannot be used")), "place", Code.RESOURCES, "/opt"),
}


@pytest.mark.parametrize(("laptop", "subject", "code", "says"), REFUSED.values(), ids=REFUSED)
def test_a_laptop_that_does_not_fit(laptop: Machine, subject: str, code: Code, says: str) -> None:
    findings = judge(laptop, MANIFEST)
    assert [finding.subject for finding in findings if finding.level is Level.REFUSAL] == [subject]
    with pytest.raises(SetupError, match=subject) as caught:
        require_fit(findings)
    assert caught.value.code == code
    assert says in str(caught.value)
    assert caught.value.fix


def test_every_refusal_is_named_and_the_platform_decides_the_code() -> None:
    laptop = replace(LAPTOP, memory_bytes=1 << 30, glibc="2.31")
    with pytest.raises(SetupError) as caught:
        require_fit(judge(laptop, MANIFEST))
    assert caught.value.code == Code.PLATFORM
    assert "glibc 2.31" in str(caught.value)
    assert "1024 MiB" in str(caught.value)


def test_a_bundle_for_a_level_that_is_not_known_here() -> None:
    manifest = replace(MANIFEST, platform=replace(PLATFORM, cpu_min="x86-64-v9"))
    with pytest.raises(SetupError, match="x86-64-v9") as caught:
        require_fit(judge(LAPTOP, manifest))
    assert caught.value.code == Code.PLATFORM


def test_an_open_swap_and_a_wrong_clock_are_only_told() -> None:
    laptop = replace(LAPTOP, plain_swaps=("/dev/sda2",), now=datetime(2020, 1, 1, tzinfo=UTC))
    found = judged(laptop)
    assert found["swap"].level is found["clock"].level is Level.WARNING
    assert "/dev/sda2" in found["swap"].words
    assert "2020-01-01" in found["clock"].words
    require_fit(tuple(found.values()))


def test_this_machine_is_seen_as_it_is(tmp_path: Path) -> None:
    seen = machine.look(tmp_path / "new" / "prefix")
    flags = Path("/proc/cpuinfo").read_text().split()
    assert (seen.system, seen.arch) == ("linux", os.uname().machine)
    assert seen.features is not None
    assert ("SSE4.2" in seen.features) == ("sse4_2" in flags)
    assert ("CMPXCHG16B" in seen.features) == ("cx16" in flags)
    assert seen.glibc == os.confstr("CS_GNU_LIBC_VERSION").removeprefix("glibc ")  # type: ignore[union-attr]
    assert seen.place.folder == tmp_path
    assert seen.place.problem is None
    assert seen.place.free_bytes > 0
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_look_left_is_taken_away(tmp_path: Path) -> None:
    (tmp_path / TRIAL).mkdir()
    (tmp_path / TRIAL / "draft").write_bytes(b"")
    assert machine.look_at_place(tmp_path).problem is None
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_a_file_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert "Not a directory" in str(machine.look_at_place(tmp_path / "file").problem)


def test_a_place_without_links_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "symlink", refuse)
    assert "Operation not permitted" in str(machine.look_at_place(tmp_path).problem)
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_place_cannot_be_used() -> None:
    assert machine.look_at_place(Path("/proc/medlora")).problem


SWAPS = "Filename\t\tType\t\tSize\tUsed\tPriority\n"


@pytest.mark.parametrize(
    ("area", "kind", "plain"),
    [
        ("/dev/sda2", None, True),
        ("/swapfile", None, True),
        ("/dev/zram0", None, False),
        ("/dev/dm-1", "CRYPT-LUKS2-0123-cryptswap\n", False),
        ("/dev/dm-1", "LVM-0123\n", True),
    ],
)
def test_which_swap_is_encrypted(tmp_path: Path, area: str, kind: str | None, plain: bool) -> None:
    (tmp_path / "swaps").write_text(f"{SWAPS}{area}  partition  1000  0  -2\n")
    if kind:
        place = tmp_path / "block" / "dm-1" / "dm"
        place.mkdir(parents=True)
        (place / "uuid").write_text(kind)
    seen = tuple(machine.plain_swaps(tmp_path / "swaps", tmp_path / "block"))
    assert seen == ((area,) if plain else ())


def test_a_machine_without_proc_has_no_swap_to_speak_of(tmp_path: Path) -> None:
    assert tuple(machine.plain_swaps(tmp_path / "none", tmp_path)) == ()
