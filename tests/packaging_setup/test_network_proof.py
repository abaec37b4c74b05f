"""The network proof, with real namespaces and real sockets: what is seen, and what is made of it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from medlora_setup.network_checks import check_namespace, check_sockets
from medlora_setup.network_proof import Isolation, Surroundings, surroundings
from medlora_setup.qualification import Outcome
from medlora_setup.sockets import Family, Looks
from tests.packaging_setup.laptop import Laptop
from tests.packaging_setup.qualified import install

INSIDE = Isolation(inside=True)
EMPTY = Surroundings(("lo",), (), {"Ip OutRequests": 0})
LEAVE = """
import json, socket, sys
from medlora_setup.network_proof import leave_network, surroundings
left = leave_network()
before = surroundings()
for address in sys.argv[1:]:
    try:
        socket.socket().connect((address, 9))
    except OSError:
        pass
print(json.dumps([left.inside, left.why_not, before.empty, before.attempts, surroundings().attempts]))
"""
HOLD = """
import socket, subprocess, sys
held = {
    "tcp": lambda: socket.create_server(("127.0.0.1", 0)),
    "udp": lambda: bound(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
    "unused": socket.socket,
    "netlink": lambda: bound(socket.AF_NETLINK, socket.SOCK_RAW, (0, 0)),
    "unix": socket.socketpair,
    "none": lambda: None,
}
def bound(family, kind, address):
    made = socket.socket(family, kind)
    made.bind(address)
    return made
if sys.argv[2:]:
    sys.exit(subprocess.call([sys.executable, "-c", sys.argv[2], sys.argv[1]]))
kept = held[sys.argv[1]]()
print("ready", flush=True)
sys.stdin.read()
"""


def left_network(*addresses: str) -> list[object]:
    done = subprocess.run([sys.executable, "-c", LEAVE, *addresses], capture_output=True, text=True, check=True)
    inside, why_not, *rest = json.loads(done.stdout)
    if not inside:
        pytest.skip(f"this machine allows no network namespace: {why_not}")
    return list(rest)


def test_a_new_namespace_is_empty_and_counts_nothing() -> None:
    empty, before, after = left_network()
    assert empty
    assert before == after
    assert set(before.values()) == {0}  # type: ignore[attr-defined]


def test_an_attempt_from_inside_is_counted_by_the_kernel() -> None:
    _, _, after = left_network("192.0.2.1")
    assert sum(after.values()) > 0  # type: ignore[attr-defined]


def test_this_network_is_not_empty() -> None:
    assert not surroundings().empty or not surroundings().interfaces


@contextmanager
def holding(kind: str, *, in_grandchild: bool) -> Iterator[Looks]:
    """What one look at a process sees that holds a socket, itself or in a process that it started."""
    command = [sys.executable, "-c", HOLD, kind, *([HOLD] if in_grandchild else [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline() == b"ready\n"
        looks = Looks()
        looks.look(Family(process.pid))
        yield looks
        process.stdin.close()


@pytest.mark.parametrize("in_grandchild", [False, True])
@pytest.mark.parametrize("kind", ["tcp", "udp", "unused", "netlink"])
def test_a_socket_is_seen_wherever_it_is_held(kind: str, in_grandchild: bool) -> None:
    with holding(kind, in_grandchild=in_grandchild) as looks:
        check = check_sockets(looks)
    assert check.outcome is Outcome.FAILED
    assert ("of a kind not listed" if kind == "unused" else kind) in check.found
    assert len(looks.processes) == 1 + in_grandchild


def test_a_socket_within_the_machine_is_told_and_does_not_fail() -> None:
    with holding("unix", in_grandchild=False) as looks:
        check = check_sockets(looks)
    assert check.outcome is Outcome.PASSED
    assert "Sockets within this machine: unix" in check.found


def test_no_socket_is_no_socket_and_no_look_no_pass() -> None:
    with holding("none", in_grandchild=True) as looks:
        assert check_sockets(looks).found == "1 looks at 2 processes: no network socket."
    assert check_sockets(Looks()).outcome is Outcome.NOT_POSSIBLE
    assert check_sockets(Looks(count=1, hidden={7})).outcome is Outcome.NOT_POSSIBLE


def test_a_process_that_has_ended_hides_nothing() -> None:
    with subprocess.Popen(["true"], stdout=subprocess.PIPE) as ended:
        assert ended.stdout
        assert ended.stdout.read() == b""
        looks = Looks()
        looks.look(Family(ended.pid))
    assert not looks.hidden
    assert not looks.network


@pytest.mark.parametrize(
    ("isolation", "after", "looks", "outcome", "words"),
    [
        (INSIDE, EMPTY, Looks(), Outcome.PASSED, "1 counters of packets sent"),
        (INSIDE, Surroundings((), (), {}), Looks(), Outcome.PASSED, "The kernel shows no counters"),
        (INSIDE, Surroundings(("lo", "eth0"), (), {}), Looks(), Outcome.FAILED, "not empty: lo, eth0"),
        (INSIDE, Surroundings(("lo",), ("127.0.0.1",), {}), Looks(), Outcome.FAILED, "not empty: lo, 127.0.0.1"),
        (INSIDE, Surroundings(("lo",), (), {"Tcp ActiveOpens": 2}), Looks(), Outcome.FAILED, "Tcp ActiveOpens 2"),
        (INSIDE, EMPTY, Looks(elsewhere={"sh"}), Outcome.FAILED, "another namespace: sh"),
        (INSIDE, None, Looks(), Outcome.NOT_POSSIBLE, "does not show"),
        (Isolation(inside=False, why_not="no"), EMPTY, Looks(), Outcome.NOT_POSSIBLE, "does not allow it (no)"),
    ],
)
def test_no_more_is_claimed_than_was_seen(
    isolation: Isolation, after: Surroundings | None, looks: Looks, outcome: Outcome, words: str
) -> None:
    check = check_namespace(isolation, after, looks)
    assert check.outcome is outcome
    assert words in check.found


def test_the_program_itself_leaves_the_network(laptop: Laptop) -> None:
    install(laptop)
    left_network()
    command = [sys.executable, "-m", "medlora_setup", "qualify", "--json", "--out", str(laptop.folder / "filed")]
    done = subprocess.run(
        [*command, "--prefix", str(laptop.layout.prefix)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    record = json.loads((laptop.folder / "filed.json").read_bytes())
    assert {check["outcome"] for check in record["checks"]} == {"passed"}
    assert record["verdict"] == "Passed: 10 of 10 checks passed"
