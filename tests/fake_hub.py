"""A hub on the loopback interface that speaks as much of the Hugging Face protocol as a download needs."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "c0ffee" * 6 + "c0ff"
LARGE = (".safetensors", ".gguf")
REPOSITORY = "/api/models/owner/name"
REVISIONS = {REPOSITORY, f"{REPOSITORY}/revision/main", f"{REPOSITORY}/revision/{COMMIT}"}


@dataclass
class FakeHub:
    """One repository `owner/name`: files by name, and what is `served` instead of the promised content.

    `etags`: by file, where it is not the content's SHA-256. `drops`: after how many bytes the next answers for large
    files break off; `failing`: none after those. `downloads`: each request's file and Range header.
    """

    files: dict[str, bytes]
    licence: str = "llama3"
    served: dict[str, bytes] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    drops: list[int] = field(default_factory=list)
    failing: bool = False
    downloads: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""

    def etag(self, name: str) -> str:
        """The hub's word for a file's content."""
        return self.etags.get(name) or hashlib.sha256(self.files[name]).hexdigest()

    def listing(self) -> list[dict[str, Any]]:
        """The files as the hub's `siblings` with sizes, and hashes of those in large file storage."""
        return [
            {"rfilename": name, "size": len(content), **_large(name, content)} for name, content in self.files.items()
        ]


def _large(name: str, content: bytes) -> dict[str, Any]:
    if not name.endswith(LARGE):
        return {}
    return {"lfs": {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}}


class _Server(ThreadingHTTPServer):
    def __init__(self, hub: FakeHub) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hub = hub


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def hub(self) -> FakeHub:
        assert isinstance(self.server, _Server)
        return self.server.hub

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        name = path.removeprefix(f"/owner/name/resolve/{COMMIT}/")
        if path in REVISIONS:
            tags = ["gguf", f"license:{self.hub.licence}"]
            answer = {"id": "owner/name", "sha": COMMIT, "tags": tags, "siblings": self.hub.listing()}
            self._send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})
        elif name in self.hub.files:
            self._send_file(name)
        elif path.startswith(f"{REPOSITORY}/revision/"):
            self._send(404, b"", {"X-Error-Code": "RevisionNotFound"})
        elif path.startswith("/owner/name/"):
            self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
        else:
            self._send(404, b"", {"X-Error-Code": "RepoNotFound"})

    def _send_file(self, name: str) -> None:
        wanted = self.headers.get("Range")
        content = self.hub.served.get(name, self.hub.files[name])
        drop = None
        if self.command == "GET":
            self.hub.downloads.append((name, wanted))
            if name.endswith(LARGE) and self.hub.drops:
                drop = self.hub.drops.pop(0)
            elif name.endswith(LARGE) and self.hub.failing:
                self._send(500, b"", {})
                return
        start = int((wanted or "bytes=0-").removeprefix("bytes=").split("-")[0])
        headers = {"ETag": f'"{self.hub.etag(name)}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
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
def serving(hub: FakeHub) -> Iterator[FakeHub]:
    """Serve until the block ends."""
    server = _Server(hub)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
