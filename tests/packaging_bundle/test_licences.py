"""Licence texts: every component's is there, with those that it refers to, and an index."""

from pathlib import Path

import pytest

from medlora_bundle import licences
from medlora_bundle.component import Component, Kind, Text
from medlora_edge.errors import GateError


def component(name: str, *texts: Text, parts: tuple[Component, ...] = (), maker_says: bool = False) -> Component:
    return Component(name, "1.0", Kind.LIBRARY, "MIT", parts=parts, texts=texts, maker_says=maker_says)


def collected(bundle: Path, *components: Component, common: Path = Path("/nowhere")) -> dict[str, bytes]:
    licences.collect(components, bundle, common)
    folder = bundle / "licences"
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_texts_of_components_and_their_parts(tmp_path: Path) -> None:
    part = component("inner", Text("sub/COPYING", b"inner's"))
    found = collected(tmp_path, component("outer", Text("LICENSE", b"outer's"), parts=(part,)))
    assert found["outer/LICENSE"] == b"outer's"
    assert found["outer/inner/sub/COPYING"] == b"inner's"


def test_the_index_names_everything(tmp_path: Path) -> None:
    parts = (component("inner", Text("COPYING", b"i")), component("crate", maker_says=True))
    index = collected(tmp_path, component("outer", Text("LICENSE", b"o"), parts=parts))["INDEX.txt"].decode()
    assert index.splitlines()[1:] == [
        "crate | 1.0 | MIT | named by the maker of outer, whose list holds no texts",
        "inner | 1.0 | MIT | outer/inner/",
        "outer | 1.0 | MIT | outer/",
    ]


def test_components_without_a_text_are_refused_by_name(tmp_path: Path) -> None:
    outer = component("outer", Text("LICENSE", b"o"), parts=(component("inner"),))
    with pytest.raises(GateError, match=r"no licence text of: silent 1\.0, inner 1\.0"):
        collected(tmp_path, component("silent"), outer)
    assert not (tmp_path / "licences").exists()


def test_texts_that_others_point_to_come_along(tmp_path: Path) -> None:
    common = tmp_path / "common"
    common.mkdir()
    (common / "GPL-3").write_bytes(b"the text of GPL-3")
    text = Text("copyright", b"On Debian it is in /usr/share/common-licenses/GPL-3.\n")
    assert collected(tmp_path, component("x", text), common=common)["common-licenses/GPL-3"] == b"the text of GPL-3"


def test_a_text_that_is_only_pointed_to_is_refused(tmp_path: Path) -> None:
    text = Text("copyright", b"see /usr/share/common-licenses/GPL-9\n")
    with pytest.raises(GateError, match="not on this machine: GPL-9"):
        collected(tmp_path, component("x", text))
