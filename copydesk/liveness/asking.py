"""Asks a process whether it lives. Imports next to nothing: a health check starts it every few seconds.

No HTTP client: `http.client` alone would double the time to start.
"""

import socket

HOST = "127.0.0.1"


class NoAnswer(Exception):
    """Nobody answers there, or not in time."""


def ask(port: int, path: str, within_s: float) -> tuple[int, str]:
    """Status and body of a GET on this machine. Raises `NoAnswer`."""
    try:
        with socket.create_connection((HOST, port), within_s) as connection:
            connection.settimeout(within_s)
            connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            answer = b""
            while chunk := connection.recv(4096):
                answer += chunk
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), body.decode("utf-8", "replace")
    except (OSError, ValueError, IndexError) as error:
        raise NoAnswer(f"no answer on port {port}: {error}") from error
