"""Leaves the network for good, where the system lets it, and tells afterwards what the kernel counted there.

A network namespace that was just made holds one interface, the loopback, switched off and without an address. All that
this process starts lives in it too; only root could go back. The kernel counts in each namespace what is sent there.
"""

import ctypes
import errno
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
NET = Path("/proc/self/net")
LOOPBACK = "lo"
COUNTERS = (
    "Ip OutRequests", "Ip OutNoRoutes", "Tcp ActiveOpens", "Tcp AttemptFails", "Udp OutDatagrams",
    "Ip6OutRequests", "Ip6OutNoRoutes", "Udp6OutDatagrams",
)  # fmt: skip


@dataclass(frozen=True)
class Isolation:
    """Whether this process is in a namespace of its own; `why_not` in the system's words where it is not."""

    inside: bool
    why_not: str = ""


@dataclass(frozen=True)
class Surroundings:
    """The network namespace as the kernel shows it: interfaces, addresses but for none, and attempts to send."""

    interfaces: tuple[str, ...]
    addresses: tuple[str, ...]
    attempts: dict[str, int]

    @property
    def empty(self) -> bool:
        """Whether nothing could be sent from here: the loopback alone, and it has no address."""
        return set(self.interfaces) <= {LOOPBACK} and not self.addresses


def leave_network() -> Isolation:
    """Move this process, which must have one thread only, into a new network namespace, for good."""
    user, group = os.geteuid(), os.getegid()
    if _unshare(CLONE_NEWNET) is None:  # root may do so without a user namespace
        return Isolation(inside=True)
    refusal = _unshare(CLONE_NEWUSER | CLONE_NEWNET)
    if refusal is not None:
        return Isolation(inside=False, why_not=refusal)
    _keep_names(user, group)
    return Isolation(inside=True)


def surroundings() -> Surroundings:
    """What this process's network namespace holds now. Raises OSError where the system shows nothing."""
    interfaces = [line.split(":")[0].strip() for line in _lines("dev")[2:]]
    ipv6 = [line.split()[0] for line in _lines("if_inet6")]
    ipv4 = [line.split()[1] for line in _lines("fib_trie") if line.strip().startswith("|--")]
    return Surroundings(tuple(interfaces), (*ipv4, *ipv6), _attempts())


def _unshare(flags: int) -> str | None:
    """None when it worked, else why not."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "unshare"):
        return "this system has no unshare()"
    if libc.unshare(flags) == 0:
        return None
    refusal = ctypes.get_errno()
    return "it allows no more namespaces" if refusal == errno.ENOSPC else os.strerror(refusal)


def _keep_names(user: int, group: int) -> None:
    """Let files show the owners they had outside; without it the rest works all the same."""
    with suppress(OSError):
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _attempts() -> dict[str, int]:
    """Those of the kernel's counters that rise when something tries to send; the ones it has."""
    counted: dict[str, int] = {}
    rows = _lines("snmp")
    for names, values in zip(rows[::2], rows[1::2], strict=False):
        protocol, _, keys = names.partition(":")
        numbers = map(int, values.partition(":")[2].split())
        counted |= {f"{protocol} {key}": number for key, number in zip(keys.split(), numbers, strict=False)}
    counted |= {parts[0]: int(parts[1]) for line in _lines("snmp6") if len(parts := line.split()) == 2}
    return {name: counted[name] for name in COUNTERS if name in counted}


def _lines(table: str) -> list[str]:
    try:
        return (NET / table).read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []  # a kernel without IPv6 has no tables of it
