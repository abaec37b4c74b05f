"""A real signed bundle, made once per run: the app, this machine's Python, and the engine wheel that pip compiled."""

import base64
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from medlora_bundle.build import Inputs, build
from medlora_bundle.fetch import fetch
from medlora_bundle.secret_key import KIND, NO_PASSWORD, SecretKey
from medlora_bundle.signing import sign
from medlora_setup import manifest
from medlora_setup.archive import unpack
from medlora_setup.archive_contents import read_contents
from medlora_setup.minisign import UNTRUSTED
from medlora_setup.verify import MANIFEST, SIGNATURE
from tests import portable_engine
from tests.packaging_setup import toy

ENGINE = "llama-cpp-python==0.3.36"


@pytest.fixture(scope="session")
def secret_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tests' own secret key as minisign writes one without a password."""
    return write_secret_key(tmp_path_factory.mktemp("keys") / "release.sec", toy.KEY)


@pytest.fixture(scope="session")
def public_key(secret_key: Path) -> Path:
    """Its public half."""
    path = secret_key.with_suffix(".pub")
    path.write_text(f"{UNTRUSTED}release key\n{toy.KEY.public.line}\n")
    return path


def write_secret_key(path: Path, key: SecretKey) -> Path:
    """The unencrypted form: algorithm, no password, checksum kind, 48 bytes for scrypt, then number and key."""
    body = key.public.number + key.seed + key.public.point
    data = KIND + NO_PASSWORD + b"B2" + bytes(48) + body + bytes(32)
    path.write_text(f"{UNTRUSTED}secret key\n{base64.b64encode(data).decode()}\n")
    return path


@pytest.fixture(scope="session")
def engine_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that this environment runs on, from pip's cache, for this processor alone; nightly the portable one."""
    if "MEDLORA_NIGHTLY" in os.environ:
        return portable_engine.wheel()
    folder = tmp_path_factory.mktemp("engine")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), ENGINE]
    subprocess.run(command, check=True)
    (wheel,) = folder.iterdir()
    return wheel


@pytest.fixture(scope="session")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `medlora-bundle fetch` brings: lock and files. Not to be changed."""
    folder = tmp_path_factory.mktemp("fetched") / "lock"
    fetch(folder)
    return folder


@pytest.fixture(scope="session")
def bundle_inputs(fetched: Path, engine_wheel: Path, public_key: Path) -> Inputs:
    """What the bundle is made from: serial 1, the shipped model alone."""
    return Inputs(fetched=fetched, serial=1, key=public_key, engine=engine_wheel)


@pytest.fixture(scope="session")
def bundle(bundle_inputs: Inputs, secret_key: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The signed bundle's folder. Not to be changed."""
    made = build(bundle_inputs, tmp_path_factory.mktemp("stick"))
    sign(made, secret_key, lambda: pytest.fail("the key has no password"))
    return made


def renumbered(bundle: Path, folder: Path, serial: int) -> Path:
    """The same bundle under another serial, signed with the tests' key: `folder` shares the files that stay."""
    shutil.copytree(bundle, folder, copy_function=os.link)
    made = replace(manifest.read((bundle / MANIFEST).read_bytes()), serial=serial)
    for name in (MANIFEST, SIGNATURE):
        (folder / name).unlink()
    toy.sign(folder, made)
    return folder


@pytest.fixture(scope="session")
def unpacked(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its `python`, `app` and `bin`, as on a laptop, in a folder with a space and an accent. Not to be changed."""
    folder = tmp_path_factory.mktemp("laptop") / "é t"
    folder.mkdir()
    contents = read_contents((bundle / "payload" / "contents.json").read_bytes())
    unpack(bundle / "payload" / "python.tar.gz", folder, contents["python"])
    unpack(bundle / "payload" / "app.tar.xz", folder, contents["app"])
    return folder
