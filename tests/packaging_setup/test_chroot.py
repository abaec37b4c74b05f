"""The real bundle in a fresh minimal Debian without a network, a Python or a libgomp. Long: only nightly, only root."""

import json
import os
import platform
import shutil
import subprocess
import time
from hashlib import sha256
from pathlib import Path

import pytest

from tests.packaging_setup.laptop import FINGERPRINT
from tests.real_bundle import renumbered

TOOLS = ("debootstrap", "strace", "unshare")
FAMILIES = ("AF_INET", "AF_NETLINK")  # AF_INET6 begins as the first
PREFIX = "/root/.local/share/medlora-edge-install"

pytestmark = [
    pytest.mark.skipif("MEDLORA_NIGHTLY" not in os.environ, reason="takes minutes: MEDLORA_NIGHTLY=1"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a chroot"),
    pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"needs {', '.join(TOOLS)}"),
    pytest.mark.timeout(1800),
]


class Minimal:
    """A minimal Debian: its folder, the seconds that commands took, and what strace saw of them."""

    def __init__(self, root: Path, traces: Path) -> None:
        self.root = root
        self.traces = traces
        self.seconds: dict[str, float] = {}

    def run(self, *command: str) -> str:
        """Run a command there without a network, watched for network calls; return what it prints."""
        name = " ".join(command[:2]).replace("/", "_")
        trace = ["strace", "-f", "--seccomp-bpf", "-e", "trace=network", "-o", str(self.traces / name)]
        apart = ["unshare", "-m", "-n", "-p", "--fork", f"--mount-proc={self.root}/proc", "chroot", str(self.root)]
        clean = ["env", "-i", "PATH=/usr/bin:/bin", "HOME=/root", "MEDLORA_HOME=/root/data"]
        began = time.perf_counter()
        done = subprocess.run([*trace, *apart, *clean, *command], capture_output=True, text=True, check=False)
        self.seconds[name] = time.perf_counter() - began
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def network_calls(self) -> list[str]:
        """Calls of all commands so far that had to do with a network."""
        lines = [line for trace in self.traces.iterdir() for line in trace.read_text().splitlines()]
        return [line for line in lines if any(family in line for family in FAMILIES)]

    def listing(self) -> dict[str, tuple[int, int]]:
        """Mode and size of every file, mode of every folder, but for what the kernel shows there."""
        kept = [path for path in self.root.rglob("*") if path.relative_to(self.root).parts[0] not in {"proc", "sys"}]
        found = {str(path.relative_to(self.root)): path.lstat() for path in kept}
        return {name: (facts.st_mode, 0 if path_is_folder(facts) else facts.st_size) for name, facts in found.items()}


def path_is_folder(facts: os.stat_result) -> bool:
    """Whether these are a folder's, whose size says nothing."""
    return facts.st_mode & 0o170000 == 0o040000


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh minimal Debian of this machine's release."""
    folder = tmp_path_factory.mktemp("debian") / "root"
    release = platform.freedesktop_os_release()["VERSION_CODENAME"]
    subprocess.run(["debootstrap", "--variant=minbase", release, str(folder)], check=True, capture_output=True)
    return folder


@pytest.fixture
def minimal(debian: Path, tmp_path: Path) -> Minimal:
    """That Debian, and a folder for traces."""
    (tmp_path / "traces").mkdir()
    return Minimal(debian, tmp_path / "traces")


def test_the_whole_life_of_an_installation(
    minimal: Minimal, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not list(minimal.root.glob("usr/bin/python3*"))
    assert not list(minimal.root.glob("usr/lib/**/libgomp*"))
    before = minimal.listing()
    shutil.copytree(bundle, minimal.root / "mnt" / "stick")
    shutil.copytree(renumbered(bundle, tmp_path / "newer", 2), minimal.root / "mnt" / "newer")
    app, setup = f"{PREFIX}/bin/medlora-edge", f"{PREFIX}/bin/medlora-setup"
    card = sha256((bundle / "payload" / "python.tar.gz").read_bytes()).hexdigest()

    minimal.run("sh", "/mnt/stick/install.sh", "--card", card, "--key", FINGERPRINT)
    answer = minimal.run(app, "ask", "Does aspirin reduce fever?")
    assert answer.strip()
    minimal.run(setup, "qualify", "--out", "/mnt/qualification")
    checks = json.loads((minimal.root / "mnt" / "qualification.json").read_bytes())["checks"]
    assert {check["name"]: check["outcome"] for check in checks if check["outcome"] != "passed"} == {}
    minimal.run(app, "bench", "pubmedqa")
    minimal.run(setup, "upgrade", "/mnt/newer")
    assert minimal.run(app, "ask", "Does aspirin reduce fever?") == answer
    minimal.run(setup, "rollback", "--yes")
    assert json.loads(minimal.run(setup, "status", "--json"))["changes"] == []
    shutil.copytree(minimal.root / PREFIX[1:] / "current" / "python", minimal.root / "mnt" / "python")
    minimal.run(setup, "uninstall")

    assert minimal.network_calls() == []
    minimal.run("/mnt/python/bin/python3.11", "-I", "-c", "import socket; socket.socket()")
    assert minimal.network_calls()  # a single one would have been seen
    for left in ("mnt/stick", "mnt/newer", "mnt/python", "root/data"):
        shutil.rmtree(minimal.root / left)
    for report in (minimal.root / "mnt").glob("qualification.*"):
        report.unlink()
    assert minimal.listing() == before
    with capsys.disabled():
        print("\n" + "\n".join(f"  {name}: {seconds:.1f} s" for name, seconds in minimal.seconds.items()))
