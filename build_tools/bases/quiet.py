"""Keeps the training libraries' own bars, hints and deprecation notes off the terminal, where the watcher draws."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hushed() -> Iterator[None]:
    """Inside the block, no hints at import time and no deprecation notes; it imports nothing itself."""
    chatty = logging.getLogger("bitsandbytes")  # hints at a download while it is imported
    level = chatty.level
    chatty.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        chatty.setLevel(level)


@contextmanager
def quiet() -> Iterator[None]:
    """Inside the block, errors only; enter it before the libraries are imported."""
    with hushed(), _transformers_hushed():
        yield


@contextmanager
def _transformers_hushed() -> Iterator[None]:
    from transformers.utils import logging as transformers_logging

    verbosity, bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()
