"""The answers beside the good one that routes declare in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from services.api.problems import MEDIA_TYPE

Responses = dict[int | str, dict[str, Any]]

PROBLEM: dict[str, Any] = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}

AWAY: Responses = {
    422: {"description": "A parameter is wrong.", **PROBLEM},
    503: {"description": "Postgres does not answer.", **PROBLEM},
}
SAME: Responses = {304: {"description": "It is as the `If-None-Match` says."}}
BODY: Responses = {413: {"description": "The body is too large.", **PROBLEM}}
KNOWN: Responses = {409: {"description": "There is one already.", **PROBLEM}}
MISSING: Responses = {404: {"description": "There is none.", **PROBLEM}}
MATCHED: Responses = {412: {"description": "It is not what the `If-Match` names any more.", **PROBLEM}}
GONE: Responses = {410: {"description": "It was deleted; the problem says when and why.", **PROBLEM}}
KEYED: Responses = {
    401: {"description": "Keys are asked for, and this is no valid one.", **PROBLEM},
    403: {"description": "The key is not for this.", **PROBLEM},
    429: {"description": "The key is used too often; `Retry-After`.", **PROBLEM},
}
