"""What a feed itself says about how often it may be read: RSS `ttl`, and `updatePeriod` of the syndication module.

A look at its head by pattern: whoever polls needs no more, and a broken feed has these too. `skipHours` is left out.
"""

from __future__ import annotations

import re

# Channel elements stand before the items nearly always.
HEAD_BYTES = 32 * 1024

_TTL = re.compile(rb"<ttl>\s*(\d{1,7})\s*</ttl>", re.IGNORECASE)
_PERIOD = re.compile(rb"<(?:\w+:)?updatePeriod>\s*(hourly|daily|weekly|monthly|yearly)\s*<", re.IGNORECASE)
_FREQUENCY = re.compile(rb"<(?:\w+:)?updateFrequency>\s*(\d{1,6})\s*<", re.IGNORECASE)

_PERIODS_S = {b"hourly": 3600, b"daily": 86400, b"weekly": 7 * 86400, b"monthly": 30 * 86400, b"yearly": 365 * 86400}


def asked_interval_s(data: bytes) -> float:
    """The least seconds between two readings that the feed asks for; 0 where it does not. Of two, the longer."""
    head = data[:HEAD_BYTES]
    asked = 0.0
    if found := _TTL.search(head):
        asked = int(found[1]) * 60.0
    if found := _PERIOD.search(head):
        often = _FREQUENCY.search(head)
        asked = max(asked, _PERIODS_S[found[1].lower()] / max(int(often[1]) if often else 1, 1))
    return asked
