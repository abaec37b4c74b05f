"""A hub on the loopback interface that speaks as much of the Hugging Face protocol as a download needs."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "c0ffee" * 6 + "c0ff"


@dataclass
class FakeHub:
    """One repository `owner/name` with one file; `drops` says after how many bytes each next answer breaks off."""

    content: bytes
    file: str = "model.Q3_K_L.gguf"
    licence: str = "llama3"
    etag: str = ""
    drops: list[int] = field(default_factory=list)
    failing: bool = False
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    url: str = ""

    @property
    def ranges(self) -> list[str | None]:
        """The Range header of every download request."""
        return [wanted for method, path, wanted in self.asked if method == "GET" and "/resolve/" in path]


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
        self.hub.asked.append((self.command, self.path, self.headers.get("Range")))
        if self.path in {"/api/models/owner/name", "/api/models/owner/name/revision/main"}:
            answer = {"id": "owner/name", "sha": COMMIT, "tags": ["gguf", f"license:{self.hub.licence}"]}
            self._send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})
        elif self.path == f"/owner/name/resolve/{COMMIT}/{self.hub.file}":
            self._send_file()
        elif self.path.startswith("/api/models/owner/name/revision/"):
            self._send(404, b"", {"X-Error-Code": "RevisionNotFound"})
        elif self.path.startswith("/owner/name/"):
            self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
        else:
            self._send(404, b"", {"X-Error-Code": "RepoNotFound"})

    def _send_file(self) -> None:
        if self.command == "GET" and self.hub.failing and not self.hub.drops:
            self._send(500, b"", {})
            return
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").split("-")[0])
        size = len(self.hub.content)
        headers = {"ETag": f'"{self.hub.etag}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        if start:
            headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
        drop = self.hub.drops.pop(0) if self.command == "GET" and self.hub.drops else None
        self._send(206 if start else 200, self.hub.content[start:], headers, drop)

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
    hub.etag = hub.etag or hashlib.sha256(hub.content).hexdigest()
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
