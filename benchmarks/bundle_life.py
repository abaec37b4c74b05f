"""A bundle's size, and the seconds from the stick to the first answer and back from an upgrade.

MEDLORA_BUNDLE=FOLDER python -m benchmarks.bundle_life [--rounds N]
"""

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from benchmarks.companion import environment
from benchmarks.figure import Figure, Sense, amount
from benchmarks.installed import WANTED, bundle_folder
from benchmarks.setup import Setup
from benchmarks.verify_bundle import KEY
from medlora_setup.manifest import Role, read, trusted_comment, write
from medlora_setup.minisign import PublicKey
from medlora_setup.verify import MANIFEST, SIGNATURE

SIZE_BAR_MB = 90
ANSWER_BAR_SECONDS = 60
ROLLBACK_BAR_SECONDS = 5
CHATS_BYTES = 64 << 20
SIZE, ANSWER, ROLLBACK = (
    "bundle without models",
    "installed from the stick to the first answer",
    "rolled back, with 64 MiB of chats",
)


def measure(setup: Setup) -> Sequence[Figure]:
    """The size in MB (10^6), both durations on this machine, the bundle's files in the system's cache."""
    bundle = bundle_folder()
    if bundle is None:
        bars = {(SIZE, "MB"): SIZE_BAR_MB, (ANSWER, "s"): ANSWER_BAR_SECONDS, (ROLLBACK, "s"): ROLLBACK_BAR_SECONDS}
        return [Figure(name, unit, None, bar, Sense.AT_MOST, note=WANTED) for (name, unit), bar in bars.items()]
    older, newer = (_signed_again(bundle, setup.workplace / f"bundle-{serial}", serial) for serial in (1, 2))
    rounds = [_round(setup.workplace / "life", older, newer) for _ in range(setup.rounds)]
    return [
        amount(SIZE, "MB", [size_mb(bundle)], at_most=SIZE_BAR_MB),
        amount(ANSWER, "s", [answered for answered, _ in rounds], at_most=ANSWER_BAR_SECONDS),
        amount(ROLLBACK, "s", [back for _, back in rounds], at_most=ROLLBACK_BAR_SECONDS),
    ]


def size_mb(bundle: Path) -> float:
    """Everything in the bundle but the parts of models."""
    files = read((bundle / MANIFEST).read_bytes()).files
    return sum(file.size for file in files if file.role is not Role.MODEL_PART) / 1e6


def _signed_again(bundle: Path, folder: Path, serial: int) -> Path:
    """The same files under another serial and the measurement's own key."""
    shutil.copytree(bundle, folder, copy_function=os.link)
    for path in (MANIFEST, SIGNATURE, "keys/release.pub"):
        (folder / path).unlink()
    key = f"{KEY.public.line}\n".encode()
    (folder / "keys" / "release.pub").write_bytes(key)
    found = read((bundle / MANIFEST).read_bytes())
    own = replace(found.the(Role.KEY), size=len(key), sha256=sha256(key).hexdigest())
    files = tuple(own if file.role is Role.KEY else file for file in found.files)
    manifest = replace(found, serial=serial, files=files)
    data = write(manifest)
    (folder / MANIFEST).write_bytes(data)
    (folder / SIGNATURE).write_text(KEY.sign(data, trusted_comment(manifest, data)))
    return folder


def _round(place: Path, older: Path, newer: Path) -> tuple[float, float]:
    """Seconds to the first answer, and for the way back."""
    prefix, history = place / "installed", place / "home" / "data" / "history"
    card = sha256((older / "payload" / "python.tar.gz").read_bytes()).hexdigest()
    trust = ["--card", card, "--key", PublicKey.parse(KEY.public.line).fingerprint]
    ask = [str(prefix / "bin" / "medlora-edge"), "ask", "Does aspirin reduce fever?"]
    setup, at = str(prefix / "bin" / "medlora-setup"), ("--prefix", str(prefix))
    install = ["sh", str(older / "install.sh"), "--prefix", str(prefix), *trust]
    answered = _seconds(place, install) + _seconds(place, ask)
    history.mkdir(parents=True, exist_ok=True)
    (history / "chats.db").write_bytes(os.urandom(CHATS_BYTES))
    _seconds(place, [setup, "upgrade", str(newer), *at])
    (history / "chats.db").write_bytes(os.urandom(CHATS_BYTES))
    back = _seconds(place, [setup, "rollback", "--yes", *at])
    _seconds(place, [setup, "uninstall", *at])
    shutil.rmtree(place)
    return answered, back


def _seconds(place: Path, command: Sequence[str]) -> float:
    names = environment() | {"MEDLORA_HOME": str(place / "home")}
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=names)
    return time.perf_counter() - began


if __name__ == "__main__":
    from benchmarks.run import main

    main([Path(__file__).stem])
