"""Which sockets a program and everything it started hold, looked up in /proc again and again while it runs."""

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PROC = Path("/proc")
SOCKET = "socket:["
LOCAL = "unix"  # between programs of one machine: no network
TABLES = (
    "tcp",
    "tcp6",
    "udp",
    "udp6",
    "udplite",
    "udplite6",
    "icmp",
    "icmp6",
    "raw",
    "raw6",
    "packet",
    "netlink",
    LOCAL,
)
INODE_COLUMNS = {"packet": 8, "netlink": 9, LOCAL: 6}
INODE_COLUMN = 9  # in the tables of the internet's protocols
UNKNOWN = "of a kind not listed, as before its first use"


@dataclass
class Looks:
    """What was seen so far.

    `network` and `local`: sockets by kind and program. `hidden`: processes that do not show their files. `elsewhere`:
    processes in another network namespace than this one.
    """

    count: int = 0
    processes: set[int] = field(default_factory=set)
    network: set[str] = field(default_factory=set)
    local: set[str] = field(default_factory=set)
    hidden: set[int] = field(default_factory=set)
    elsewhere: set[str] = field(default_factory=set)

    def look(self, family: "Family") -> None:
        """Look once at every process of the family."""
        self.count += 1
        for pid in family.now():
            try:
                inodes = _socket_inodes(pid)
                if _namespace(pid) != _namespace("self"):
                    self.elsewhere.add(_name(pid))
            except PermissionError:
                if not _ending(pid):
                    self.hidden.add(pid)
            except OSError:
                continue  # it has ended
            else:
                self.processes.add(pid)
                self._note(pid, inodes)

    def _note(self, pid: int, inodes: set[str]) -> None:
        for inode in inodes:
            kind = _kind(pid, inode)
            said = f"{kind} ({_name(pid)})"
            (self.local if kind == LOCAL else self.network).add(said)


class Family:
    """A process and all its descendants, also those whose parent has ended since."""

    def __init__(self, root: int) -> None:
        self._members = {root}
        self._strangers: set[int] = set()

    def now(self) -> set[int]:
        """Those that run now. Each process of the machine is asked for its parent only when it is new."""
        running = {int(place.name) for place in PROC.iterdir() if place.name.isdecimal()}
        self._members &= running
        self._strangers &= running
        for pid in sorted(running - self._members - self._strangers):
            (self._members if _parent(pid) in self._members else self._strangers).add(pid)
        return self._members


def _parent(pid: int) -> int:
    """The parent's number; 0 when the process has ended."""
    with suppress(OSError):
        return int((PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()[1])
    return 0


def _namespace(process: int | str) -> Path:
    return (PROC / str(process) / "ns" / "net").readlink()


def _ending(pid: int) -> bool:
    """Whether the process has given its memory back already: then it shows nothing to anybody but root."""
    with suppress(OSError):
        return not (PROC / str(pid) / "cmdline").read_bytes()
    return True


def _socket_inodes(pid: int) -> set[str]:
    """Numbers of the sockets among the open descriptors. Raises OSError."""
    inodes = set()
    for place in (PROC / str(pid) / "fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            target = str(place.readlink())
            if target.startswith(SOCKET):
                inodes.add(target[len(SOCKET) : -1])
    return inodes


def _kind(pid: int, inode: str) -> str:
    """The table of the process's network namespace in which the socket stands."""
    for table in TABLES:
        column = INODE_COLUMNS.get(table, INODE_COLUMN)
        with suppress(OSError):
            rows = (PROC / str(pid) / "net" / table).read_text(errors="replace").splitlines()
            if any(row.split()[column : column + 1] == [inode] for row in rows):
                return table
    return UNKNOWN


def _name(pid: int) -> str:
    with suppress(OSError):
        return (PROC / str(pid) / "comm").read_text(errors="replace").strip()
    return f"process {pid}"
