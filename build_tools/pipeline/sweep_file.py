"""What a sweep tries: a recipe, a grid of values for its keys, and keys whose values go together."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from build_tools.data.sources import files
from build_tools.manifest import sha256_of_file, sha256_of_json
from build_tools.pipeline.run import Phase
from build_tools.recipe import Recipe, RecipeError, load
from build_tools.recipe.problems import dotted
from build_tools.recipe.yaml_tree import Tree, read
from medlora_edge.errors import UsageError

MOST_TRIALS = 1000

Values = Annotated[list[JsonValue], Field(min_length=1)]
Overrides = dict[str, JsonValue]


class SweepFile(BaseModel):
    """A sweep as written down. Keys are dotted, items of lists by number: `stages.0.optimiser.learning_rate`.

    `grid`: every value of every key with all others. `paired`: groups of keys whose lists are walked side by side.
    `upto`: how far each run goes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: Path
    upto: Phase = Phase.CARD
    grid: dict[str, Values] = Field(default_factory=dict)
    paired: list[dict[str, Values]] = Field(default_factory=list)


@dataclass(frozen=True)
class Trial:
    """One combination: what it changes, the recipe that comes of it, SHA-256 of the data files, a name of these."""

    overrides: Overrides
    recipe: Recipe
    data: tuple[str, ...]

    @property
    def id(self) -> str:
        """The same for the same recipe and data, wherever and in whatever order it is tried."""
        return sha256_of_json([self.recipe.model_dump(mode="json"), self.data])[:12]


@dataclass(frozen=True)
class Sweep:
    """All that a sweep file asks for, each combination checked."""

    keys: tuple[str, ...]
    trials: tuple[Trial, ...]
    recipe_folder: Path
    upto: Phase


def read_sweep(path: Path) -> Sweep:
    """Read a sweep file and check every combination. Raises RecipeError (exit 2) with all problems at once."""
    tree = read(path)
    spec = _validated(tree, path)
    problems = [*_form_problems(spec, tree, path)]
    if problems:
        raise RecipeError(path, problems)
    recipe, tried = path.parent / spec.recipe, list(combinations(spec))
    trials, wrong, hashed = dict[str, Trial](), defaultdict[str, list[Overrides]](list), cache(sha256_of_file)
    for overrides in tried:
        try:
            loaded = load(recipe, overrides=overrides)
        except UsageError as error:
            for line in error.lines if isinstance(error, RecipeError) else (f"{recipe}: {error.what}",):
                wrong[line].append(overrides)
            continue
        trial = Trial(overrides, loaded, tuple(map(hashed, _data_files(loaded, recipe.parent))))
        trials.setdefault(trial.id, trial)
    if wrong:
        raise RecipeError(path, [f"{line} [{_which(found, len(tried))}]" for line, found in wrong.items()])
    return Sweep(keys_of(spec), tuple(trials.values()), recipe.parent, spec.upto)


def _data_files(recipe: Recipe, folder: Path) -> Iterator[Path]:
    return (path for stage in recipe.stages for source in stage.data for path in files(source, folder))


def _which(found: Sequence[Overrides], count: int) -> str:
    """Which combinations have a problem, in words."""
    if len(found) == count > 1:
        return "every combination"
    return said(found[0]) + (f"; and {len(found) - 1} more" if len(found) > 1 else "")


def combinations(spec: SweepFile) -> Iterator[Overrides]:
    """Every combination, the last key of the file turning fastest."""
    single = [[{key: value} for value in values] for key, values in spec.grid.items()]
    together = [
        [dict(zip(group, row, strict=True)) for row in zip(*group.values(), strict=True)] for group in spec.paired
    ]
    for parts in product(*single, *together):
        yield {key: value for part in parts for key, value in part.items()}


def keys_of(spec: SweepFile) -> tuple[str, ...]:
    """All keys that the sweep changes, in the file's order."""
    return (*spec.grid, *(key for group in spec.paired for key in group))


def said(overrides: Overrides) -> str:
    """A combination in words."""
    return ", ".join(f"{key}={value}" for key, value in overrides.items()) or "as written"


def _validated(tree: Tree, path: Path) -> SweepFile:
    if not isinstance(tree.data, dict):
        raise RecipeError(path, [f"{path}:1: the sweep file is empty or no mapping"])
    lines = [f"{path}:{tree.line(problem.loc)}: {dotted(problem.loc)}: {problem.what}" for problem in tree.problems]
    try:
        spec = SweepFile.model_validate(tree.data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        lines += [f"{path}:{tree.line(item['loc'])}: {dotted(item['loc'])}: {item['msg']}" for item in found]
        raise RecipeError(path, lines) from error
    if lines:
        raise RecipeError(path, lines)
    return spec


def _form_problems(spec: SweepFile, tree: Tree, path: Path) -> Iterator[str]:
    """What is wrong with the lists themselves."""
    for number, group in enumerate(spec.paired):
        lengths = {key: len(values) for key, values in group.items()}
        if len(set(lengths.values())) > 1:
            listed = ", ".join(f"{key} has {length}" for key, length in lengths.items())
            yield f"{path}:{tree.line(('paired', number))}: paired[{number}]: lists of different lengths: {listed}"
    keys = keys_of(spec)
    for key in dict.fromkeys(key for key in keys if keys.count(key) > 1):
        yield f"{path}:{tree.line(('paired',))}: {key}: is in the sweep twice"
    count = 1
    for values in (*spec.grid.values(), *(next(iter(group.values()), [0]) for group in spec.paired)):
        count *= len(values)
    if count > MOST_TRIALS:
        yield f"{path}:1: {count:,} combinations, more than {MOST_TRIALS:,}"
