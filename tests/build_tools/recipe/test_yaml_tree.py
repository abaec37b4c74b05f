"""YAML is read as plain values with their lines; its tricks and its bombs are refused."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from build_tools.recipe import RecipeError
from build_tools.recipe.yaml_tree import MAX_BYTES, Tree, read
from medlora_edge.errors import UsageError


def tree(folder: Path, text: str) -> Tree:
    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return read(path)


def test_values_are_those_of_yaml_1_2(tmp_path: Path) -> None:
    text = "a: 2e-4\nb: 010\nc: yes\nd: true\ne: ~\nf: '1'\ng: 1_000\nh: 0x10\ni: none\nj: 2026-01-01\nk: -.inf\n"
    assert list(tree(tmp_path, text).data.values()) == [
        2e-4, 10, "yes", True, None, "1", 1000, 16, "none", "2026-01-01", float("-inf"),
    ]  # fmt: skip


def test_every_place_knows_its_line(tmp_path: Path) -> None:
    found = tree(tmp_path, "a: 1\n\nb:\n  - c: 2\n    d: {e: 3,\n      f: 4}\n")
    places = [("a",), ("b",), ("b", 0), ("b", 0, "c"), ("b", 0, "d", "f"), ("b", 0, "d", "absent")]
    assert [found.line(place) for place in places] == [1, 3, 4, 4, 6, 5]


def test_a_key_given_twice_is_a_problem_with_both_lines(tmp_path: Path) -> None:
    (problem,) = tree(tmp_path, "a: 1\nb: 2\na: 3\n").problems
    assert problem.what == "given twice: in line 1 and in line 3"


def test_a_key_that_is_no_text_is_a_problem(tmp_path: Path) -> None:
    (problem,) = tree(tmp_path, "? [a, b]\n: 1\n").problems
    assert "not text" in problem.what


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &x 1\n", ":1: anchors and aliases"),
        ("a: 1\nb: &x [1]\nc: *x\n", ":2: anchors and aliases"),
        ("a: !!python/object/apply:os.system [id]\n", ":1: tags are not read"),
        ("a: !secret b\n", ":1: tags are not read"),
        ("a: [1\nb: 2\n", ":2: not YAML: expected ',' or ']'"),
        ("a: 1\nb: 'x\nc: 3\nd: 4\n", ":2: not YAML: while scanning a quoted scalar: found unexpected end"),
        ("a: 1\nb: [1,\n  2\n\n", ":2: not YAML: while parsing a flow sequence: expected ',' or ']'"),
        ("a: 1\n\tb: 2\n", "not YAML"),
        ("a: 1\n---\nb: 2\n", "not YAML"),
        ("a: \x00\n", "not YAML"),
        ("a: " + "[" * 1_000, "nested deeper than 24 levels"),
        ("%YAML 9.9\n---\na: 1\n", "YAML"),
    ],
)
def test_tricks_and_damage_are_refused_at_their_line(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        tree(tmp_path, text)
    assert words in str(caught.value)


def test_a_file_that_cannot_be_a_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such recipe"):
        read(tmp_path / "absent.yaml")
    with pytest.raises(UsageError, match="a folder"):
        read(tmp_path)
    with pytest.raises(UsageError, match="too large"):
        tree(tmp_path, "#" * (MAX_BYTES + 1))
    path = tmp_path / "recipe.yaml"
    path.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(RecipeError, match=r":2: not UTF-8"):
        read(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(st.one_of(st.text(), st.binary()))
def test_any_file_is_read_or_refused(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)
    with suppress(UsageError):
        assert isinstance(read(path), Tree)
