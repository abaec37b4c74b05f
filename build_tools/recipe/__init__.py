"""What a model builder writes down: one YAML file, read with every mistake named at its line."""

from build_tools.recipe.paths import absent
from build_tools.recipe.problems import RecipeError
from build_tools.recipe.reader import load
from build_tools.recipe.schema import Recipe

__all__ = ["Recipe", "RecipeError", "absent", "load"]
