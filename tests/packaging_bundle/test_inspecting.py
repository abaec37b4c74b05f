"""What `medlora-bundle inspect` says of a bundle, signed or not."""

import json
from pathlib import Path

import pytest

from medlora_bundle.inspecting import inspect
from medlora_setup.errors import Code, SetupError
from medlora_setup.verify import MANIFEST, SIGNATURE
from tests.packaging_setup import toy


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return toy.build(tmp_path / "bundle", toy.Toy(next_key=toy.secret_key(2).public, revoked=(2,)))


def test_a_person_reads_what_is_in_it(bundle: Path) -> None:
    lines = inspect(bundle).text.splitlines()
    assert lines[0] == "medlora-edge 0.1.0, serial 5, made 2026-09-21T14:13:20Z"
    assert "signature  valid" in lines
    assert "needs      linux on x86_64 from x86-64-v2, glibc 2.34" in lines
    assert "model      tiny, 280 bytes, Apache-2.0, tests only" in lines
    assert "files      model-part: 2, 280 bytes" in lines
    assert toy.KEY.public.fingerprint in lines[1]


def test_a_program_reads_all_of_it(bundle: Path) -> None:
    found = json.loads(json.dumps(inspect(bundle).document()))
    assert found["serial"] == 5
    assert found["signature"] == "valid"
    assert found["key"] == {
        "id": toy.KEY.public.key_id,
        "fingerprint": toy.KEY.public.fingerprint,
        "next": toy.secret_key(2).public.line,
    }
    assert found["revoked_serials"] == [2]
    assert found["files"]["model-part"] == {"count": 2, "bytes": 280}
    assert found["models"][0]["id"] == "tiny"
    assert found["source"]["toolchain"] == {"python": "3.11.7"}


def test_a_bundle_that_is_not_signed_yet(bundle: Path) -> None:
    (bundle / SIGNATURE).unlink()
    assert inspect(bundle).signature == "none"


def test_a_signature_that_does_not_fit(bundle: Path) -> None:
    data = (bundle / MANIFEST).read_bytes()
    toy.sign_bytes(bundle, data, "other")
    assert "another manifest" in inspect(bundle).signature
    (bundle / SIGNATURE).write_text(toy.KEY.sign(data + b" ", "other"))
    assert "does not fit" in inspect(bundle).signature


def test_a_folder_without_a_bundle(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no bundle") as caught:
        inspect(tmp_path)
    assert caught.value.code == Code.USAGE
