"""How fast a bundle is verified, beside `sha256sum` over the same files; both read from the system's cache.

python -m benchmarks.verify_bundle [--rounds N]
"""

import subprocess
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from statistics import median

from nacl.signing import SigningKey

from benchmarks.figure import Figure, ratio
from benchmarks.quiet import in_turn
from benchmarks.setup import Setup
from medlora_bundle.secret_key import SecretKey
from medlora_setup.archive import write_contents
from medlora_setup.manifest import File, Join, Manifest, Model, Platform, Role, Source, trusted_comment, write
from medlora_setup.minisign import PublicKey
from medlora_setup.verify import MANIFEST, SIGNATURE, verify

BAR_MB_PER_SECOND = 400
BLOCK = bytes(range(256)) * 4096
PARTS = 5
PART_BLOCKS = 256  # 256 MiB a part
SEED = bytes(32)
KEY = SecretKey(SEED, PublicKey(bytes(8), bytes(SigningKey(SEED).verify_key)))
SMALL = {
    "install.sh": Role.INSTALLER,
    "keys/release.pub": Role.KEY,
    "payload/app.tar.xz": Role.APP,
    "payload/contents.json": Role.CONTENTS,
    "payload/expected_tokens.json": Role.EXPECTED_TOKENS,
    "payload/python.tar.gz": Role.PYTHON,
}


def measure(setup: Setup) -> Sequence[Figure]:
    """Megabytes (10^6) a second through the whole of `verify`: signature, manifest, names, every byte."""
    folder = setup.workplace / "bundle"
    manifest = bundle(folder)
    size = sum(file.size for file in manifest.files) / 1e6
    files = [folder / file.path for file in manifest.files]
    rounds = in_turn(setup.rounds, lambda: size / our_seconds(folder), lambda _: size / their_seconds(files))
    speeds = tuple(rounds.ours)
    return [
        Figure("verify", "MB/s", median(speeds), BAR_MB_PER_SECOND, ours=speeds, others=rounds.others),
        ratio("verify, against sha256sum", "MB/s", rounds, float),
    ]


def our_seconds(folder: Path) -> float:
    """Seconds for one verification."""
    began = time.perf_counter()
    verify(folder, KEY.public)
    return time.perf_counter() - began


def their_seconds(files: Sequence[Path]) -> float:
    """Seconds for the distribution's own program over the same files."""
    began = time.perf_counter()
    subprocess.run(["sha256sum", *files], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def bundle(folder: Path) -> Manifest:
    """Make a signed bundle with a model of 1.25 GiB in parts."""
    parts = [_part(folder, number) for number in range(PARTS)]
    small = [_small(folder, path, role) for path, role in SMALL.items()]
    whole = sha256()
    for _ in range(PARTS * PART_BLOCKS):
        whole.update(BLOCK)
    size = sum(part.size for part in parts)
    manifest = Manifest(
        version="0.1.0",
        serial=1,
        created="1970-01-01T00:00:00Z",
        min_upgrade_from=0,
        state_schema=1,
        platform=Platform("linux", "x86_64", "2.34", "x86-64-v2", 0, 0),
        files=tuple(sorted([*parts, *small], key=lambda file: file.path)),
        joins=(Join("large", "large.gguf", tuple(part.path for part in parts), size, whole.hexdigest()),),
        models=(Model("large", "large", whole.hexdigest(), size, "Apache-2.0", "measurement"),),
        source=Source("none", False, 0, {}),
        next_key=None,
        revoked_serials=(),
    )
    data = write(manifest)
    (folder / MANIFEST).write_bytes(data)
    (folder / SIGNATURE).write_text(KEY.sign(data, trusted_comment(manifest, data)))
    return manifest


def _part(folder: Path, number: int) -> File:
    path, digest = f"models/large/part-{number:03}", sha256()
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    with (folder / path).open("wb") as stream:
        for _ in range(PART_BLOCKS):
            stream.write(BLOCK)
            digest.update(BLOCK)
    return File(path, PART_BLOCKS * len(BLOCK), digest.hexdigest(), Role.MODEL_PART, 0o644)


def _small(folder: Path, path: str, role: Role) -> File:
    content = write_contents({"python": [], "app": []}) if role is Role.CONTENTS else role.encode()
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(content)
    return File(path, len(content), sha256(content).hexdigest(), role, 0o644)


if __name__ == "__main__":
    from benchmarks.run import main

    main([Path(__file__).stem])
