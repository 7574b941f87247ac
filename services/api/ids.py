"""Ids of jobs, and the addresses that tell of an item."""

from __future__ import annotations

import time
import uuid
from urllib.parse import quote, urlencode


def new_id() -> str:
    """A job id that sorts by time and fits a `ref`."""
    return f"{time.time_ns() // 1_000_000:012x}{uuid.uuid4().hex[:20]}"


def status_url(source: str, item_id: str) -> str:
    """Where an item is told of, from the server's root."""
    return f"/v1/items/{quote(item_id, safe='/')}?{urlencode({'source': source})}"
