"""An unpacked bundle of a few small files: our wheel with a model, one other wheel, a Python with one library."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from medlora_bundle.shipped import Shipped
from medlora_bundle.wheel_files import record
from medlora_edge.models.manifest import Manifest, Source

Content = dict[str, bytes]
HASHES = {"medlora-edge": "a" * 64, "plain": "b" * 64}


def wheel(name: str, version: str, code: Mapping[str, bytes], headers: str = "License-Expression: MIT\n") -> Content:
    """Files of a wheel below `app/`, with metadata, licence and record."""
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nSummary: About {name}\n{headers}\n"
    files = {
        **code,
        f"{info}/METADATA": metadata.encode(),
        f"{info}/licenses/LICENSE": f"the licence of {name}\n".encode(),
    }
    listed = record(files, f"{info}/RECORD")
    return {f"app/{path}": content for path, content in {**files, f"{info}/RECORD": listed}.items()}


def runtime() -> Content:
    """A Python that is none, and the library of one package."""
    packages = [{"library": "libz.so.1", "package": "zlib1g", "version": "1:1.2+x"}]
    return {
        "python/bin/python3.11": b"#!\x00/prefix/3.11.7\x00",
        "python/lib/libz.so.1": b"no library",
        "python/lib/python3.11/LICENSE.txt": b"Python's licence\n",
        "python/lib/python3.11/site-packages/medlora_setup/__init__.py": b"",
        "python/share/licences/packages.json": json.dumps(packages).encode(),
        "python/share/licences/zlib1g/copyright": b"Files: *\nLicense: Zlib\n",
    }


def model() -> Manifest:
    """What is known of the model in the small bundle."""
    data = {"name": "trial texts", "licence": "CC BY 4.0", "source": "https://example.org/data", "by": "Their Authors"}
    return Manifest(
        name="small",
        file="small.gguf",
        size_bytes=10,
        sha256="c" * 64,
        architecture="llama",
        parameters=1,
        quantisation="Q3_K_L",
        tensor_types={},
        context_length=64,
        licence="Apache-2.0",
        source=Source(file="small.gguf"),
        added=datetime(2026, 11, 20, tzinfo=UTC),
        lineage={"card": {"attribution": [data]}},
    )


def whole() -> Content:
    """Everything in a small bundle's archives."""
    files = {name: name.encode() for name in ("card.md", "small.gguf")} | {
        "manifest.json": model().model_dump_json().encode()
    }
    code = {"medlora_edge/__init__.py": b""} | {
        f"medlora_edge/shipped/small/{name}": data for name, data in files.items()
    }
    ours = wheel("medlora-edge", "0.1.0", code, "License: Apache-2.0\n")
    plain = wheel("plain", "1.0", {"plain/__init__.py": b"x = 1\n"})
    byte_code = {"app/plain/__pycache__/__init__.cpython-311.pyc": b"byte code"}
    return {**runtime(), **ours, **plain, **byte_code, "bin/medlora-edge": b"#!/bin/sh\n"}


def shipped(folder: Path, content: Mapping[str, bytes]) -> dict[str, Shipped]:
    """Write `content` below `folder`; its files as they come out of a bundle."""
    for path, data in content.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return {path: Shipped.of(folder / path, folder) for path in sorted(content)}
