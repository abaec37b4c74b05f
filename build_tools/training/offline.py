"""No network while training runs: the libraries are told so before they look."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
HUB = ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY")


@contextmanager
def offline() -> Iterator[None]:
    """Keep the Hub's libraries from the network inside the block, and leave them as they were after it.

    The Hub client reads its variables once, when it is imported, so its constants are set too: a `fetch` later in this
    process still works.
    """
    from huggingface_hub import constants

    environment = {name: os.environ.get(name) for name in ENVIRONMENT}
    before = {name: getattr(constants, name) for name in HUB}
    os.environ.update(ENVIRONMENT)
    for name in HUB:
        setattr(constants, name, True)
    try:
        yield
    finally:
        for name in HUB:
            setattr(constants, name, before[name])
        for name, value in environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
