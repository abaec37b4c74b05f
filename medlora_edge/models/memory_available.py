"""How much memory a new process may still take: the machine's, or the container's when that is less."""

from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")


def available_memory() -> int:
    """Bytes that can be had without swapping."""
    import psutil

    return min([psutil.virtual_memory().available, *cgroup_rooms(CGROUPS, OWN_CGROUP)])


def cgroup_rooms(root: Path, own: Path) -> list[int]:
    """Bytes left below each memory limit that binds this process, for cgroup versions 2 and 1; [] without one.

    A limit may stand on any group from ours up to the root. File cache counts as free: it gives way.
    https://docs.kernel.org/admin-guide/cgroup-v2.html, `memory.max`, `memory.current`, `memory.stat`.
    """
    rooms = []
    for line in _read(own).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, place = rest.partition(":")
        if controllers == "":
            rooms += _rooms(root, place, "memory.max", "memory.current")
        elif "memory" in controllers.split(","):
            rooms += _rooms(root / "memory", place, "memory.limit_in_bytes", "memory.usage_in_bytes")
    return rooms


def _rooms(root: Path, place: str, limit_file: str, usage_file: str) -> list[int]:
    group = root / place.lstrip("/")
    rooms = []
    for folder in (group, *group.parents):
        if not folder.is_relative_to(root):
            break
        limit, usage = _read(folder / limit_file), _read(folder / usage_file)
        if limit.isdecimal() and usage.isdecimal():
            rooms.append(max(0, int(limit) - int(usage) + _file_cache(folder)))
    return rooms


def _file_cache(folder: Path) -> int:
    """Bytes of cached files; version 1 sums a whole tree up under `total_`."""
    fields = dict(line.split(" ", 1) for line in _read(folder / "memory.stat").splitlines() if " " in line)
    names = ("inactive_file", "active_file")
    prefix = "total_" if "total_inactive_file" in fields else ""
    return sum(int(value) for name in names if (value := fields.get(prefix + name, "")).isdecimal())


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
