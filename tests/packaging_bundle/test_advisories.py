"""No package with a known advisory gets into a bundle."""

import pytest

from medlora_bundle import advisories, requirements
from medlora_bundle.lock import Locked, Purpose
from medlora_edge.errors import ExitCode, GateError


def locked(name: str, version: str) -> Locked:
    return Locked(name=name, version=version, file=f"{name}-{version}.whl", sha256="0" * 64, purpose=Purpose.APP)


@pytest.mark.parametrize(
    ("name", "version", "advisory"),
    [
        ("diskcache", "5.6.3", "CVE-2025-69872"),
        ("diskcache", "7.0", "CVE-2025-69872"),
        ("Jinja2", "3.1.5", "CVE-2025-27516"),
        ("jinja2", "2.11", "CVE-2024-56326"),
        ("llama_cpp_python", "0.2.71", "CVE-2024-34359"),
        ("PyNaCl", "1.6.1", "CVE-2025-69277"),
    ],
)
def test_an_affected_package_is_refused(name: str, version: str, advisory: str) -> None:
    with pytest.raises(GateError) as caught:
        advisories.require_none([locked("rich", "15.0.0"), locked(name, version)])
    assert caught.value.code is ExitCode.GATE
    assert advisory in caught.value.what
    assert f"{name} {version}" in caught.value.what
    assert caught.value.fix


def test_every_affected_package_is_named() -> None:
    with pytest.raises(GateError, match=r"diskcache 5\.6\.3.*jinja2 3\.1\.2"):
        advisories.require_none([locked("diskcache", "5.6.3"), locked("jinja2", "3.1.2")])


def test_mended_versions_pass() -> None:
    mended = [("jinja2", "3.1.6"), ("llama-cpp-python", "0.3.36"), ("pynacl", "1.6.2"), ("diskcache-stubs", "1")]
    advisories.require_none([locked(*one) for one in mended])


def test_what_has_no_mended_version_is_never_fetched() -> None:
    unmended = {one.package for one in advisories.table() if one.affected == ">=0"}
    assert unmended == requirements.NOT_SHIPPED
