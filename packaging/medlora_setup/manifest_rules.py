"""What must hold between the fields of a manifest, beyond the type of each."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from medlora_setup import bundle_paths
from medlora_setup.errors import SetupError
from medlora_setup.manifest_fields import malformed
from medlora_setup.manifest_records import MANIFEST, SIGNATURE, File, Join, Manifest, Role
from medlora_setup.minisign import PublicKey

UNLISTED = (MANIFEST, SIGNATURE)
ONE_OF_EACH = (Role.PYTHON, Role.APP, Role.CONTENTS, Role.EXPECTED_TOKENS, Role.KEY, Role.INSTALLER)


def require_sound(manifest: Manifest) -> None:
    """Raise SetupError (exit 3) naming the first field that contradicts a rule or another field."""
    _require_file_list(manifest.files)
    _require_joins(manifest)
    _require_times(manifest)
    _require_serials(manifest)
    if manifest.next_key is not None:
        _require_key(manifest.next_key)


def require_paths(paths: Sequence[str], where: str) -> None:
    """Raise SetupError (exit 3) when one of `paths` may not be in a bundle, or two cannot be there together."""
    for at, path in enumerate(paths):
        if problem := bundle_paths.fault(path):
            raise malformed(f"the path {path!r} cannot be used: {problem}", f"{where}[{at}]")
    if problem := bundle_paths.clash(paths):
        raise malformed(problem, where)


def _require_file_list(files: Sequence[File]) -> None:
    paths = [file.path for file in files]
    require_paths([*paths, *UNLISTED], f"{MANIFEST}, 'files'")
    if paths != sorted(paths):
        raise malformed("the files are not sorted by path", f"{MANIFEST}, 'files'")
    roles = Counter(file.role for file in files)
    for role in ONE_OF_EACH:
        if roles[role] != 1:
            raise malformed(f"there must be one file of the role {role}, not {roles[role]}", f"{MANIFEST}, 'files'")


def _require_joins(manifest: Manifest) -> None:
    where = f"{MANIFEST}, 'joins'"
    parts = {file.path: file.size for file in manifest.files if file.role is Role.MODEL_PART}
    used = Counter(part for join in manifest.joins for part in join.parts)
    if used != Counter(parts.keys()):
        strays = sorted((used - Counter(parts.keys())) | (Counter(parts.keys()) - used))
        raise malformed(f"{strays[0]!r} is not a model part that is used exactly once", where)
    models = {model.id: model for model in manifest.models}
    if len(models) != len(manifest.models):
        raise malformed("two models have the same id", f"{MANIFEST}, 'models'")
    if len({join.model for join in manifest.joins}) != len(manifest.joins):
        raise malformed("two joins make the same model", where)
    for at, join in enumerate(manifest.joins):
        _require_join(join, parts, f"{where}[{at}]")
        model = models.get(join.model)
        if model is None or (model.size, model.sha256) != (join.size, join.sha256):
            raise malformed(f"no model {join.model!r} of this size and hash is described", f"{where}[{at}]")


def _require_join(join: Join, parts: dict[str, int], where: str) -> None:
    if "/" in join.name or bundle_paths.fault(join.name):
        raise malformed(f"{join.name!r} cannot be the name of a file", f"{where}, 'name'")
    if join.size != sum(parts[part] for part in join.parts):
        raise malformed("its size is not the sum of its parts", f"{where}, 'size'")


def _require_times(manifest: Manifest) -> None:
    try:
        built = datetime.fromtimestamp(manifest.source.source_date_epoch, UTC)
    except (OverflowError, ValueError, OSError):
        raise malformed("it is no time", f"{MANIFEST}, 'source', 'source_date_epoch'") from None
    if manifest.created != built.strftime("%Y-%m-%dT%H:%M:%SZ"):
        raise malformed("it is not the time of 'source_date_epoch'", f"{MANIFEST}, 'created'")


def _require_serials(manifest: Manifest) -> None:
    if manifest.min_upgrade_from > manifest.serial:
        raise malformed("it is above the bundle's own serial", f"{MANIFEST}, 'min_upgrade_from'")
    revoked = list(manifest.revoked_serials)
    if revoked != sorted(set(revoked)) or manifest.serial in revoked:
        raise malformed("they must rise, and not name the bundle itself", f"{MANIFEST}, 'revoked_serials'")


def _require_key(line: str) -> None:
    try:
        key = PublicKey.parse(line)
    except SetupError as error:
        raise malformed(error.what, f"{MANIFEST}, 'next_key'") from error
    if key.line != line:
        raise malformed("it must be one line of base64", f"{MANIFEST}, 'next_key'")
