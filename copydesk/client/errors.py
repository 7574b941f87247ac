"""What a call of the client may raise. The problem that the door answered (RFC 9457) is kept whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from copydesk.errors import CopydeskError, DependencyError


class ClientError(CopydeskError):
    """The HTTP door did not do what it was asked.

    `status` is that of its answer, 0 where there was none; `problem` the members of the answer's JSON.
    """

    def __init__(
        self, subject: str = "", detail: str = "", status: int = 0, problem: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(subject, detail)
        self.args = (subject, detail, status, problem)
        self.status = status
        self.problem = dict(problem or {})

    @property
    def cause(self) -> str:
        """The `code` of the problem, as docs/http.md has it; empty where the answer was none."""
        return str(self.problem.get("code", ""))


class RequestRefused(ClientError):
    """The HTTP door refuses the request, and would refuse it again."""


class NotAllowed(RequestRefused):
    """The HTTP door wants another key for this."""


class NotFound(RequestRefused):
    """The HTTP door knows of no such thing."""


class ArticleDeleted(NotFound):
    """The article was deleted."""


class NotStoredYet(ClientError):
    """The documents are accepted, and not stored in time.

    They will be: ask for `items`, (id, job) of each.
    """

    @property
    def items(self) -> list[tuple[str, str]]:
        """(id, job) of each document that is on its way."""
        return [(str(item["id"]), str(item["job"])) for item in self.problem.get("items", [])]


class UnexpectedAnswer(ClientError):
    """The HTTP door answered what this client does not understand."""


class DoorUnavailable(ClientError, DependencyError):
    """The HTTP door did not answer, or asked to be left alone for longer than the client waits."""

    retryable = True
    dependency = "the HTTP door"
