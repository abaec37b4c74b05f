"""Installation qualification: looks at what is installed, lets it work without a network, and files a report."""

import hashlib
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from medlora_setup.errors import SetupError
from medlora_setup.installed_checks import Installed, check_files, check_signature, installed_at
from medlora_setup.installed_files import EXPECTED_TOKENS
from medlora_setup.installed_program import Program, ProgramError, Told
from medlora_setup.layout import Layout
from medlora_setup.machine_facts import machine_facts
from medlora_setup.manifest import Role
from medlora_setup.network_checks import check_namespace, check_sockets
from medlora_setup.network_proof import Surroundings, leave_network, surroundings
from medlora_setup.program_checks import check_answer, check_bench, check_doctor, check_engine, check_memory
from medlora_setup.qualification import Check, Outcome, Qualification, Rows
from medlora_setup.report import Filed, filed
from medlora_setup.token_check import Recorded, check_tokens, read_recorded

Say = Callable[[str], None]


def qualify(layout: Layout, out: Path | None = None, *, say: Say) -> Filed:
    """Qualify the current version and write the report beside the name `out`, or into the folder `out`.

    This process leaves its network for good, where the system lets it. A check that fails is no error: look at
    `Filed.qualification.failed`. Raises SetupError: exit 2 when nothing is installed or the report's name is taken,
    3 when the installation's own records are damaged, 4 when the report cannot be written.
    """
    installed = installed_at(layout)
    now = datetime.now(UTC).replace(microsecond=0)
    with filed(out, f"{installed.manifest.product}-{installed.name}-qualification-{now:%Y%m%dT%H%M%SZ}") as filing:
        checks, bench = _checks(installed, say)
        manifest = installed.manifest
        return filing.write(
            Qualification(
                product=manifest.product,
                version=manifest.version,
                serial=manifest.serial,
                date=f"{now:%Y-%m-%d %H:%M:%S} UTC",
                identity=_identity(installed),
                machine=machine_facts(),
                models=tuple((f"{model.name} ({model.licence})", model.sha256) for model in manifest.models),
                checks=checks,
                bench=bench,
            )
        )


def _checks(installed: Installed, say: Say) -> tuple[tuple[Check, ...], Rows]:
    say("checking the signature and the installed files")
    checks = [check_signature(installed), check_files(installed)]
    isolation = leave_network()
    with tempfile.TemporaryDirectory(prefix="qualify-") as home:
        program = Program(installed.launcher, Path(home))
        say("examining the program")
        checks.append(check_doctor(program))
        say("comparing the tokens of the self-test")
        checks += _self_tests(installed, program)
        say("answering a question")
        checks.append(check_answer(program))
        say("answering the sample questions")
        check, bench = check_bench(program)
    checks += [check, check_namespace(isolation, _surroundings(), program.looks), check_sockets(program.looks)]
    return tuple(checks), bench


def _self_tests(installed: Installed, program: Program) -> Iterator[Check]:
    """Tokens and memory of each recorded model; the first that answers tells of the engine too."""
    done = "The answers recorded at build were read."
    try:
        installed.require_unchanged(EXPECTED_TOKENS, installed.manifest.the(Role.EXPECTED_TOKENS))
        recorded = read_recorded(installed.folder / EXPECTED_TOKENS)
    except SetupError as error:
        yield Check("Self-test", done, error.what, Outcome.FAILED)
        return
    engine_told = False
    for model in recorded:
        try:
            checks = program.ask(partial(_self_test, model), "self-test", "--model", model.name, "--json")
        except ProgramError as error:
            done = "The model was to answer fixed prompts."
            yield Check(f"Self-test of {model.name}", done, str(error), Outcome.FAILED)
        else:
            yield from checks[engine_told:]
            engine_told = True


def _self_test(model: Recorded, told: Told) -> tuple[Check, ...]:
    return check_engine(told), check_memory(told), check_tokens(model, told)


def _surroundings() -> Surroundings | None:
    with suppress(OSError):
        return surroundings()
    return None


def _identity(installed: Installed) -> Rows:
    manifest = installed.manifest
    return (
        ("Installed in", str(installed.folder)),
        ("Key fingerprint", installed.key.fingerprint),
        ("Manifest, SHA-256", hashlib.sha256(installed.manifest_bytes).hexdigest()),
        ("Built", f"{manifest.created} from commit {manifest.source.commit}"),
        ("Command", shlex.join(["medlora-setup", *sys.argv[1:]])),
    )
