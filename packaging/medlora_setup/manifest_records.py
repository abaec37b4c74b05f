"""What a bundle's manifest says, as typed records."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

SCHEMA = 1
PRODUCT = "medlora-edge"
MANIFEST = "manifest.json"
SIGNATURE = f"{MANIFEST}.minisig"
"""Names of the two files, in a bundle and in an installed version."""


class Role(StrEnum):
    """What a file of the bundle is for."""

    PYTHON = "python"
    APP = "app"
    CONTENTS = "contents"
    EXPECTED_TOKENS = "expected-tokens"
    MODEL_PART = "model-part"
    SBOM = "sbom"
    LICENCE = "licence"
    DOCUMENT = "document"
    KEY = "key"
    INSTALLER = "installer"


@dataclass(frozen=True)
class File:
    """One file of the bundle: path inside it, size in bytes, SHA-256 in hexadecimal, mode 0644 or 0755."""

    path: str
    size: int
    sha256: str
    role: Role
    mode: int


@dataclass(frozen=True)
class Join:
    """A model's file `name` that is put together from `parts` in their order."""

    model: str
    name: str
    parts: tuple[str, ...]
    size: int
    sha256: str


@dataclass(frozen=True)
class Model:
    """A model that comes with the bundle: inside the app, or joined from parts."""

    id: str
    name: str
    sha256: str
    size: int
    licence: str
    intended_use: str


@dataclass(frozen=True)
class Platform:
    """What the laptop must have; memory and disk in MiB."""

    os: str
    arch: str
    glibc_min: str
    cpu_min: str
    ram_min_mb: int
    disk_min_mb: int


@dataclass(frozen=True)
class Source:
    """What the bundle was built from: the commit, whether the tree differed from it, when, with which tools."""

    commit: str
    dirty: bool
    source_date_epoch: int
    toolchain: Mapping[str, str]


@dataclass(frozen=True)
class Manifest:
    """Everything the signature covers. `files` lists the whole bundle but the manifest and its signature."""

    version: str
    serial: int
    created: str
    min_upgrade_from: int
    state_schema: int
    platform: Platform
    files: tuple[File, ...]
    joins: tuple[Join, ...]
    models: tuple[Model, ...]
    source: Source
    next_key: str | None
    revoked_serials: tuple[int, ...]
    schema: int = SCHEMA
    product: str = PRODUCT

    @property
    def folder_name(self) -> str:
        """Name of the folder this version is installed in."""
        return f"{self.version}-{self.serial}"

    def the(self, role: Role) -> File:
        """The file of a role that a bundle has exactly one of: python, app, contents, tokens, key, installer."""
        (file,) = (file for file in self.files if file.role is role)
        return file
