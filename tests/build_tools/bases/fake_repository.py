"""A hub on the loopback interface with one repository of several files, as far as fetching a base needs it."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "c0ffee" * 6 + "c0ff"


@dataclass
class FakeRepository:
    """`owner/name`: files by name, and what is `served` instead of the promised content.

    `drops`: after how many bytes the next answers for weights break off; `failing`: none after those.
    """

    files: dict[str, bytes]
    licence: str = "llama3"
    served: dict[str, bytes] = field(default_factory=dict)
    drops: list[int] = field(default_factory=list)
    failing: bool = False
    downloads: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""

    def listing(self) -> list[dict[str, Any]]:
        """The files as the hub's `siblings` with sizes, and hashes of those in large file storage."""
        return [
            {"rfilename": name, "size": len(content), **_large(name, content)} for name, content in self.files.items()
        ]


def _large(name: str, content: bytes) -> dict[str, Any]:
    if not name.endswith(".safetensors"):
        return {}
    return {"lfs": {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    repository: FakeRepository

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        resolve = f"/owner/name/resolve/{COMMIT}/"
        if path in {"/api/models/owner/name", f"/api/models/owner/name/revision/{COMMIT}"}:
            tags = [f"license:{self.repository.licence}"]
            answer = {"id": "owner/name", "sha": COMMIT, "tags": tags, "siblings": self.repository.listing()}
            self._send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})
        elif path.startswith(resolve) and path.removeprefix(resolve) in self.repository.files:
            self._send_file(path.removeprefix(resolve))
        else:
            self._send(404, b"", {"X-Error-Code": "RepoNotFound"})

    def _send_file(self, name: str) -> None:
        wanted = self.headers.get("Range")
        promised = self.repository.files[name]
        content = self.repository.served.get(name, promised)
        start = int((wanted or "bytes=0-").removeprefix("bytes=").split("-")[0])
        headers = {"ETag": f'"{hashlib.sha256(promised).hexdigest()}"', "X-Repo-Commit": COMMIT}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        drop = None
        if self.command == "GET":
            self.repository.downloads.append((name, wanted))
            if name.endswith(".safetensors") and self.repository.drops:
                drop = self.repository.drops.pop(0)
            elif name.endswith(".safetensors") and self.repository.failing:
                self._send(500, b"", {})
                return
        self._send(206 if start else 200, content[start:], headers, drop)

    def _send(self, status: int, body: bytes, headers: dict[str, str], drop: int | None = None) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[:drop])
        self.close_connection = drop is not None


@contextmanager
def serving(repository: FakeRepository) -> Iterator[FakeRepository]:
    """Serve until the block ends."""
    handler = type("Handler", (_Handler,), {"repository": repository})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    repository.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield repository
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
