"""Stand-ins for packages that are imported and never used, and that have an advisory without a mended version."""

import base64
import hashlib
import shutil
from importlib import metadata
from pathlib import Path

NAME = "diskcache"
VERSION = "9999+inert"  # above any that is asked for, and no version that was ever published

METADATA = f"""Metadata-Version: 2.4
Name: {NAME}
Version: {VERSION}
Summary: Inert stand-in of medlora-edge for diskcache, which does not ship (CVE-2025-69872)
License-Expression: Apache-2.0
License-File: LICENSE
"""
WHEEL = "Wheel-Version: 1.0\nGenerator: medlora-bundle\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def install(site_packages: Path) -> None:
    """Put the stand-in for `diskcache` and its metadata into `site_packages`, as a wheel's installer would."""
    code = site_packages / NAME / "__init__.py"
    code.parent.mkdir()
    shutil.copyfile(Path(__file__).parent / NAME / "__init__.py", code)
    info = site_packages / f"{NAME}-{VERSION}.dist-info"
    (info / "licenses").mkdir(parents=True)
    (info / "METADATA").write_text(METADATA)
    (info / "WHEEL").write_text(WHEEL)
    (info / "licenses" / "LICENSE").write_text(_own_licence())
    files = [code, *sorted(file for file in info.rglob("*") if file.is_file())]
    record = info / "RECORD"
    lines = [_record_line(file, site_packages) for file in files]
    record.write_text("".join(lines) + f"{record.relative_to(site_packages)},,\n")


def _own_licence() -> str:
    text = metadata.distribution("medlora-edge").read_text("licenses/LICENSE")
    assert text, "every installation of this package carries its licence"  # noqa: S101
    return text


def _record_line(file: Path, site_packages: Path) -> str:
    content = file.read_bytes()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{file.relative_to(site_packages)},sha256={digest},{len(content)}\n"
