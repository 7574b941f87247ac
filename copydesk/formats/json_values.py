"""JSON read under the terms of hostile input: nesting, numbers and broken text end in one error of ours."""

from __future__ import annotations

import json
from typing import Any

from copydesk.errors import MalformedInput


def read_json(text: str, subject: str) -> Any:
    """The value. Raises MalformedInput where it is no JSON, nests too deep, or has a number of thousands of digits."""
    try:
        return json.loads(text, strict=False)
    except RecursionError as error:
        raise MalformedInput(subject, "it nests deeper than the parser goes") from error
    except ValueError as error:
        raise MalformedInput(subject, f"not JSON: {error}") from error
