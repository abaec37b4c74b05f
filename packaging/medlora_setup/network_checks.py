"""Judges what was seen of the network while the installed program worked; claims no more than was seen."""

from medlora_setup.installed_program import LOOK_SECONDS
from medlora_setup.network_proof import Isolation, Surroundings
from medlora_setup.qualification import Check, Outcome
from medlora_setup.sockets import Looks

Judgement = tuple[str, Outcome]


def check_namespace(isolation: Isolation, after: Surroundings | None, looks: Looks) -> Check:
    """Whether the program worked where no network can be reached. `after`: the namespace at the end."""
    name = "Works without a network"
    if not isolation.inside:
        done = "A network namespace without interfaces was asked for, to let the program work in."
        found = f"The system does not allow it ({isolation.why_not}). What the next check saw is all there is."
        return Check(name, done, found, Outcome.NOT_POSSIBLE)
    done = "For all checks of this report the program worked in a network namespace made for it, without an interface."
    return Check(name, done, *_of_namespace(after, looks))


def _of_namespace(after: Surroundings | None, looks: Looks) -> Judgement:
    if after is None:
        return "The system does not show what the namespace holds.", Outcome.NOT_POSSIBLE
    if not after.empty:
        return f"The namespace is not empty: {', '.join((*after.interfaces, *after.addresses))}.", Outcome.FAILED
    if looks.elsewhere:
        return f"These ran in another namespace: {', '.join(sorted(looks.elsewhere))}.", Outcome.FAILED
    tried = [f"{name} {number}" for name, number in after.attempts.items() if number]
    if tried:
        return f"Something tried to send; the kernel counted {', '.join(tried)}.", Outcome.FAILED
    counters = f"The kernel's {len(after.attempts)} counters of packets sent and of attempts without a route are all 0."
    found = (
        "Every check that asks the program ran there. It holds the loopback alone, switched off, without an address."
    )
    return f"{found} {counters if after.attempts else 'The kernel shows no counters of attempts.'}", Outcome.PASSED


def check_sockets(looks: Looks) -> Check:
    """Whether the program or its engine process held a socket at any moment it was looked at."""
    done = (
        "While the program worked, the open files of its process and of every process it started were looked at "
        f"every {LOOK_SECONDS * 1000:.0f} ms. A socket that came and went between two looks would not be seen."
    )
    return Check("Opens no network socket", done, *_of_looks(looks))


def _of_looks(looks: Looks) -> Judgement:
    seen = f"{looks.count:,} looks at {len(looks.processes)} processes"
    if looks.network:
        return f"{seen}: {', '.join(sorted(looks.network))}.", Outcome.FAILED
    if looks.hidden or not looks.count:
        return f"{seen}; {len(looks.hidden)} processes do not show their files.", Outcome.NOT_POSSIBLE
    local = f" Sockets within this machine: {', '.join(sorted(looks.local))}." if looks.local else ""
    return f"{seen}: no network socket.{local}", Outcome.PASSED
