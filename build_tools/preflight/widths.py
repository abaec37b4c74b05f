"""Which matrices cannot be quantised as wanted: rows of a K-quant come in blocks of 256 numbers.

llama.cpp falls back without an error (`tensor_type_fallback`): Q3_K to Q4_0, Q4_K to Q5_0, Q5_K to Q5_1, Q6_K to
Q8_0, and to F16 where a row is no multiple of 32 either.
"""

import re

from build_tools.bases.counts import Matrix, Skeleton
from build_tools.preflight.problem import Problem
from build_tools.recipe.schema import Export

BLOCKS = {"Q8_0": 32}
K_QUANT_BLOCK = 256
LAYER_NUMBER = re.compile(r"(?<=\.)\d+(?=\.)")


def check_widths(model: Skeleton, export: Export, limit: float) -> list[Problem]:
    """An error where more than `limit` of the matrix weights would fall back, a warning where any would."""
    block = BLOCKS.get(export.type, K_QUANT_BLOCK)
    falling = [matrix for matrix in model.matrices if matrix.columns % block]
    if not falling:
        return []
    share = sum(matrix.size for matrix in falling) / sum(matrix.size for matrix in model.matrices)
    what = (
        f"{share:.0%} of the weights would get another type than {export.type} means: their rows are not a multiple "
        f"of {block} ({', '.join(_kinds(falling))})"
    )
    return [
        Problem(
            severity="error" if share > limit else "warning",
            what=what,
            where=f"the gate's limit is {limit:.0%}",
            fix="choose a base of other widths, or export as Q8_0" if block > BLOCKS["Q8_0"] else "choose another base",
        )
    ]


def _kinds(matrices: list[Matrix]) -> list[str]:
    """Names with their widths, all layers as one."""
    return list(dict.fromkeys(f"{LAYER_NUMBER.sub('*', matrix.name)}: {matrix.columns}" for matrix in matrices))
