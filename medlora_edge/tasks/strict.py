"""Strict reading: the valid-response rule of the MediLoRA paper, section 4.3, and nothing more.

White space at both ends is removed. "Nothing changed" therefore reads as no: the paper's rule looks at
letters, not words.
"""

from collections.abc import Collection


def read_word(response: str, words: Collection[str]) -> str | None:
    """The word the response starts with, any case."""
    beginning = response.strip()[:16].lower()
    return next((word for word in words if beginning.startswith(word)), None)


def read_letter(response: str, letters: Collection[str]) -> str | None:
    """Letter of the first three characters `(A)`, if that option exists. A small letter is not valid."""
    beginning = response.strip()[:3]
    return next((letter for letter in letters if beginning == f"({letter})"), None)
