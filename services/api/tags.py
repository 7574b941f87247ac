"""ETags of answers: 304 for a reader that has the same one, 412 for a change that was made of another one."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import Header, Request, Response
from pydantic import BaseModel

from services.api.problems import Refused

IfMatch = Annotated[
    str | None, Header(description="The `ETag` of what is to be changed: where it is not that any more, 412.")
]


def tag_of(answer: BaseModel) -> str:
    """The ETag of an answer's own bytes."""
    return f'"{hashlib.sha256(answer.model_dump_json().encode()).hexdigest()[:32]}"'


def tagged(request: Request, answer: BaseModel, status: int = 200, **headers: str) -> Response:
    """The answer with its ETag; 304 where the request says that it has this one."""
    tag = tag_of(answer)
    if request.method == "GET" and _names(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers={"ETag": tag})
    body = answer.model_dump_json().encode()
    return Response(body, status, media_type="application/json", headers={"ETag": tag, **headers})


def check_match(if_match: str | None, answer: BaseModel) -> None:
    """Raises `Refused` 412 where a change names another state than this one."""
    if if_match is not None and not _names(if_match, tag_of(answer)):
        raise Refused(412, "changed_meanwhile", "It is not what the If-Match names any more; read it again.")


def _names(header: str, tag: str) -> bool:
    return header.strip() == "*" or tag in (part.strip().removeprefix("W/") for part in header.split(","))
