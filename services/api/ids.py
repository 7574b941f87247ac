"""The addresses that tell of an item."""

from __future__ import annotations

from urllib.parse import quote, urlencode


def status_url(source: str, item_id: str) -> str:
    """Where an item is told of, from the server's root."""
    # Clients resolve `..` before they ask; with its slashes quoted it is no step upwards.
    safe = "" if {".", ".."} & set(item_id.split("/")) else "/"
    return f"/v1/items/{quote(item_id, safe=safe)}?{urlencode({'source': source})}"
