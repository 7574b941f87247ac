"""The addresses that tell of an item."""

from __future__ import annotations

from urllib.parse import quote, urlencode


def status_url(source: str, item_id: str) -> str:
    """Where an item is told of, from the server's root."""
    return f"/v1/items/{quote(item_id, safe='/')}?{urlencode({'source': source})}"
