"""Every file that a bundle brings to a laptop, read back from its archives' bytes."""

import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

from build_tools.manifest import sha256_of_file

ARCHIVES = ("payload/python.tar.gz", "payload/app.tar.xz")
ELF = b"\x7fELF"


@dataclass(frozen=True)
class Shipped:
    """One file: its path on the laptop, relative to the version's folder, and where the same bytes are here."""

    path: str
    here: Path
    size: int
    sha256: str

    @classmethod
    def of(cls, file: Path, root: Path) -> "Shipped":
        """The file that lies in the unpacked folder `root`."""
        return cls(file.relative_to(root).as_posix(), file, file.stat().st_size, sha256_of_file(file))

    def soname(self) -> str | None:
        """Name under which other native files ask for this library; None for everything else."""
        with self.here.open("rb") as stream:
            if stream.read(len(ELF)) != ELF:
                return None
            dynamic = ELFFile(stream).get_section_by_name(".dynamic")
            tags = dynamic.iter_tags("DT_SONAME") if dynamic else ()
            return next((str(tag.soname) for tag in tags), None)


def unpack(bundle: Path, workplace: Path) -> Mapping[str, Shipped]:
    """Unpack the archives of `bundle` into the empty folder `workplace`; the files by path, in order."""
    for archive in ARCHIVES:
        with tarfile.open(bundle / archive) as tar:
            tar.extractall(workplace, filter="data")
    files = sorted(path for path in workplace.rglob("*") if path.is_file())
    return {one.path: one for one in (Shipped.of(file, workplace) for file in files)}


def lying_in(bundle: Path) -> Mapping[str, Shipped]:
    """The files of the bundle's own folder, but for the manifest and its signature, which speak of them."""
    about_them = {bundle / "manifest.json", bundle / "manifest.json.minisig"}
    files = sorted(path for path in bundle.rglob("*") if path.is_file() and path not in about_them)
    return {one.path: one for one in (Shipped.of(file, bundle) for file in files)}
