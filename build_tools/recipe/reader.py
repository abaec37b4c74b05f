"""Reads a recipe, or says everything that is wrong with it at once; imports nothing heavy and creates nothing."""

from collections.abc import Mapping
from operator import itemgetter
from pathlib import Path
from typing import Any

from build_tools.recipe.contradictions import contradictions
from build_tools.recipe.paths import missing
from build_tools.recipe.problems import Problem, RecipeError, dotted
from build_tools.recipe.schema import Recipe
from build_tools.recipe.schema_errors import validate, value_at
from build_tools.recipe.yaml_tree import Tree, read
from medlora_edge.errors import UsageError


def load(path: Path, *, planned: bool = False, overrides: Mapping[str, object] | None = None) -> Recipe:
    """Read and check a recipe.

    `planned`: a recipe whose base is not here yet, but has a shape, may also lack its data.
    `overrides`: values put in before the check, by place: `stages.0.optimiser.learning_rate`.
    Raises RecipeError (exit 2): one line a problem, `file:line: key: what is wrong; what is allowed`.
    """
    tree = read(path)
    if not isinstance(tree.data, dict):
        raise RecipeError(path, [f"{path}:1: the recipe is empty or no mapping; see docs/building-a-model.md"])
    for key, value in (overrides or {}).items():
        _put(tree.data, key, value, path)
    recipe, problems = _problems(tree, path.parent, planned=planned)
    if recipe is None or problems:
        raise RecipeError(path, _lines(problems, tree, path))
    return recipe


def _put(data: Any, key: str, value: object, path: Path) -> None:
    """Set what stands at a dotted key; mappings above it that the recipe leaves out are made."""
    *above, last = [int(part) if part.isdigit() else part for part in key.split(".")]
    node = data
    for part in above:
        if isinstance(node, dict) and isinstance(part, str) and node.get(part) is None:
            node[part] = {}
        node = value_at(node, (part,))
    known = isinstance(node, dict) if isinstance(last, str) else isinstance(node, list) and last < len(node)
    if not known:
        raise UsageError(f"the recipe has no place {key}", where=str(path), fix="name it as stages.0.adapter.rank")
    node[last] = value


def _problems(tree: Tree, folder: Path, *, planned: bool) -> tuple[Recipe | None, list[Problem]]:
    recipe, schema = validate(tree.data)
    crossed = list(contradictions(tree.data))
    told = {problem.loc for problem in crossed}
    plain = [problem for problem in schema if problem.loc not in told or problem.what.startswith("unknown key")]
    return recipe, [*tree.problems, *crossed, *plain, *missing(tree.data, folder, planned=planned)]


def _lines(problems: list[Problem], tree: Tree, path: Path) -> list[str]:
    placed = sorted(((tree.line(problem.loc), problem) for problem in problems), key=itemgetter(0))
    return [f"{path}:{line}: {dotted(problem.loc)}: {problem.what}" for line, problem in placed]
