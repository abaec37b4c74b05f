"""Loaded by Python itself in the programs that a test starts with this folder on PYTHONPATH: forbids every socket."""

import os
import socket
from pathlib import Path
from typing import Any, NoReturn


def _refuse(_: socket.socket, address: Any) -> NoReturn:
    with Path(os.environ["SOCKET_LOG"]).open("a", encoding="utf-8") as log:
        log.write(f"{address}\n")
    raise AssertionError(f"a socket to {address}")


for name in ("bind", "connect", "connect_ex"):
    setattr(socket.socket, name, _refuse)
