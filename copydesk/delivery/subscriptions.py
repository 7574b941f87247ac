"""What makes an address a feed that is polled: checked, with a source and the settings of today. Pure."""

from __future__ import annotations

from pydantic import TypeAdapter

from copydesk.fetching.client import parsed
from copydesk.models import Label, Name
from copydesk.settings import Settings
from copydesk.storage.feeds import NewFeed

# Before anything is learnt.
FIRST_INTERVAL_S = 1800.0

_NAME: TypeAdapter[str] = TypeAdapter(Name)
_LABEL: TypeAdapter[str] = TypeAdapter(Label)


def subscription(
    url: str,
    settings: Settings,
    *,
    source: str | None = None,
    title: str | None = None,
    full_text: str | None = None,
    interval_min_s: float | None = None,
    interval_max_s: float | None = None,
) -> NewFeed:
    """A feed to add. Its source is the address's host without `www.` unless one is named.

    Feeds of one source share its identities: the same entry in two of them is one article. Raises `AddressRefused`;
    private addresses are refused when they are fetched, as what a name stands for may change.
    """
    place = parsed(url)
    host = str(place.host).removeprefix("www.")
    return NewFeed(
        url=str(place),
        source=_NAME.validate_python(source or host),
        title=_LABEL.validate_python(title) if title else None,
        interval_s=min(max(FIRST_INTERVAL_S, settings.feed_interval_min_s), settings.feed_interval_max_s),
        silent_after_s=settings.feed_silent_after_s,
        full_text=full_text or settings.feed_full_text,
        interval_min_s=interval_min_s,
        interval_max_s=interval_max_s,
    )
