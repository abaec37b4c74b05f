"""Tries to install a bundle that has to be refused, and watches that it leaves no trace."""

import os
from pathlib import Path

import pytest

from medlora_setup.errors import Code, SetupError
from medlora_setup.install import install
from medlora_setup.layout import Layout
from medlora_setup.progress import silent
from medlora_setup.trust import Trust
from tests.packaging_setup import toy

TRUST = Trust(toy.KEY.public)

Tree = dict[str, tuple[int, int, bytes]]


def require_refusal(bundle: Path, *says: str, code: Code = Code.CORRUPT, trust: Trust = TRUST) -> None:
    """Require that `bundle` is refused with this code and words, and that it and all around it is as before."""
    around = bundle.parent
    before = tree(around)
    with pytest.raises(SetupError) as caught:
        install(Layout(around / "opt" / "prefix"), bundle, trust, silent)
    text = str(caught.value)
    assert caught.value.code == code, text
    for word in says:
        assert word in text
    assert all(line.isprintable() for line in text.split("\n"))
    assert tree(around) == before


def tree(folder: Path) -> Tree:
    """Everything in `folder` by path: mode, time of the last change (of plain files), content or a link's target."""
    found: Tree = {}
    for path in sorted(folder.rglob("*")):
        about = path.lstat()
        content = b""
        if path.is_symlink():
            content = os.fsencode(path.readlink())
        elif path.is_file():
            content = path.read_bytes()
        time = 0 if path.is_dir() else about.st_mtime_ns
        found[str(path.relative_to(folder))] = (about.st_mode, time, content)
    return found
