"""What must be said about a bundle's content, made from its bytes: the contents list and the licence texts."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from medlora_bundle import contents_list, licences, native_parts, owners, shipped


def write(bundle: Path, wheels: Mapping[str, str], *, sdist: Path, epoch: int) -> None:
    """Write `licences/` and `sbom/` into a bundle whose other files, but for the manifest, are all there.

    `wheels`: SHA-256 of each unpacked wheel by its normalised name; `sdist`: the archive of llama-cpp-python's source;
    `epoch`: seconds since 1970. Raises GateError (exit 5) for a file without an owner and a component without a text.
    """
    with tempfile.TemporaryDirectory(dir=bundle.parent) as work:
        unpacked = shipped.unpack(bundle, Path(work))
        components = owners.components(unpacked, wheels, native_parts.read_sdist(sdist))
        licences.collect(components, bundle)
        beside = shipped.lying_in(bundle)
        contents_list.write(bundle, components, beside, epoch)
        contents_list.require_complete(bundle, [*unpacked.values(), *beside.values()])
