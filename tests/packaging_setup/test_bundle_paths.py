"""Names that may be in a bundle, and pairs of names that may not be there together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medlora_setup.bundle_paths import clash, fault, folders_of

GOOD = ["a", "payload/app.tar.xz", "a b/ä.txt", ".hidden", "console.txt", "com10", "a/null", "x" * 240]
BAD = {
    "": "empty",
    "/etc/passwd": "absolute",
    "../x": "leads out",
    "a/../x": "leads out",
    "a/./x": "leads out",
    "a//x": "empty",
    "a/": "empty",
    "C:/x": "not every system",
    "a\\x": "not every system",
    "a*": "not every system",
    "a\0x": "control",
    "a\nx": "control",
    "a\x1b[2J": "control",
    "a\u202ex": "control",
    "\ud800": "control",
    "a\u0308": "NFC",
    "CON": "reserved",
    "dir/nul.txt": "reserved",
    "aux.tar.gz/x": "reserved",
    "Lpt1": "reserved",
    "com¹.log": "reserved",
    "a.": "dot or a space",
    "a /x": "dot or a space",
    "x" * 241: "240 bytes",
    "ä" * 121: "240 bytes",
}


@pytest.mark.parametrize("path", GOOD)
def test_a_plain_name_is_allowed(path: str) -> None:
    assert fault(path) is None


@pytest.mark.parametrize(("path", "says"), BAD.items())
def test_a_name_that_means_something_else_somewhere_is_refused(path: str, says: str) -> None:
    assert says in (fault(path) or "")


@pytest.mark.parametrize(
    "paths",
    [["a", "a"], ["a", "A"], ["straße", "STRASSE"], ["a", "a/b"], ["A", "a/b"], ["a/b", "A/c"], ["x/a/b", "x/A"]],
)
def test_two_names_for_one_place_clash(paths: list[str]) -> None:
    assert clash(paths)
    assert clash(reversed(paths))


def test_names_in_different_places_do_not() -> None:
    assert clash(["a", "b/a", "b/c/a", "c"]) is None


def test_folders_of_a_path_from_the_outermost() -> None:
    assert folders_of("a/b/c") == ["a", "a/b"]
    assert folders_of("a") == []


@given(st.text())
def test_what_is_allowed_stays_inside_its_folder(path: str) -> None:
    if fault(path) is None:
        assert not path.startswith("/")
        assert ".." not in path.split("/")
        assert path.isprintable()
