"""Stand-in for the package `diskcache`: llama_cpp imports it, nothing here uses it.

The real package loads pickles from its folder (CVE-2025-69872), and no version of it is mended.
"""

from typing import NoReturn

_SENTENCE = (
    "diskcache.{name}: a stand-in without any function is installed instead of diskcache, which loads pickles from disk"
    " (CVE-2025-69872); keep llama_cpp's cache in memory (LlamaRAMCache)"
)


def __getattr__(name: str) -> NoReturn:
    """Refuse every use. What Python itself may look for in any module is only said to be absent."""
    if name.startswith("_"):
        raise AttributeError(name)
    raise RuntimeError(_SENTENCE.format(name=name))
