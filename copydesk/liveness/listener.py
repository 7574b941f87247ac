"""Answers `/livez`, `/readyz` and `/metrics` over HTTP, from a thread of its own.

The answers come from what was recorded, so they are true whatever the main thread is at. While C code holds the
interpreter there is no answer at all, which the one who asks must take for one (`copydesk.supervisor.rounds`).
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from copydesk.liveness.rule import Verdict

READ_S = 5.0


class Listener:
    """One process's. A port of 0 takes a free one."""

    def __init__(
        self,
        address: tuple[str, int],
        verdict: Callable[[], Verdict],
        dependencies: Callable[[], Mapping[str, str]],
        metrics: Callable[[], bytes],
    ) -> None:
        """`dependencies`: each with "up" or what is wrong with it. Raises `OSError` where the address is taken."""

        class Handler(BaseHTTPRequestHandler):
            timeout = READ_S

            def do_GET(self) -> None:
                match self.path:
                    case "/livez":
                        found = verdict()
                        self._tell(not found.is_stuck, {"alive": not found.is_stuck, "why": found.why})
                    case "/readyz":
                        needed = dependencies()
                        is_ready = all(state == "up" for state in needed.values())
                        self._tell(is_ready, {"ready": is_ready, **needed})
                    case "/metrics":
                        self._answer(200, "text/plain; version=0.0.4; charset=utf-8", metrics())
                    case _:
                        self.send_error(404)

            def _tell(self, is_good: bool, body: Mapping[str, object]) -> None:
                self._answer(200 if is_good else 503, "application/json", json.dumps(body).encode())

            def _answer(self, status: int, content_type: str, data: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Not logged: it is asked every few seconds."""

        self._server = ThreadingHTTPServer(address, Handler)
        self._server.daemon_threads = True

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        threading.Thread(target=self._server.serve_forever, name="liveness", daemon=True).start()


def write_address(path: Path, port: int, patience_s: float) -> None:
    """Say where this process answers, and how long it may not answer at all. Whole or not at all; raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(json.dumps({"pid": os.getpid(), "port": port, "patience_s": patience_s}), encoding="utf-8")
    unfinished.replace(path)
