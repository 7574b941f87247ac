"""The route that counts how items ended, by hour, source and outcome."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import FastAPI, Query
from pydantic import AwareDatetime, BaseModel, Field

from copydesk.models import Outcome
from copydesk.storage import stats
from copydesk.storage.connection import Connection
from copydesk.storage.stats import Behind
from services.api.articles import Text
from services.api.database import Database
from services.api.problems import Refused
from services.api.responses import AWAY

# What one page may look through.
RANGE_MAX = timedelta(days=31)
RANGE = timedelta(days=1)


class Counted(BaseModel):
    """How many items of a source ended in one way in an hour."""

    hour: datetime = Field(description="Its beginning, UTC.")
    source: str
    outcome: Outcome
    items: int


class Stats(BaseModel):
    """Counts in the order of hour, source and outcome, and where the next page begins."""

    begin: datetime
    end: datetime
    counts: list[Counted]
    next: str | None = Field(description="`after` of the next page; null on the last one.")


def add_stats(app: FastAPI, database: Database) -> None:
    """Add the route."""

    @app.get("/v1/stats", summary="Count outcomes by hour and source", responses=AWAY)
    async def count_outcomes(
        *,
        begin: Annotated[AwareDatetime | None, Query(description="A day before `end` when not given.")] = None,
        end: Annotated[AwareDatetime | None, Query(description="Not itself; now when not given.")] = None,
        source: Text = None,
        after: Annotated[str | None, Query(max_length=4000, description="`next` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=5000)] = 1000,
    ) -> Stats:
        """Up to 31 days, by Postgres's clock. Unchanged items of feeds count in the hour of their poll."""
        first, last = _range(begin, end)
        behind = _place(after)

        def load(connection: Connection) -> list[Counted]:
            found = stats.hourly(connection, first, last, source=source, behind=behind, limit=limit + 1)
            return [Counted(**row) for row in found]

        found = await database.ask(load)
        following = _cursor(found[limit - 1]) if len(found) > limit else None
        return Stats(begin=first, end=last, counts=found[:limit], next=following)


def _range(begin: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
    try:
        last = (end or datetime.now(UTC)).astimezone(UTC)
        first = (begin or last - RANGE).astimezone(UTC)
    except OverflowError as error:
        raise Refused(422, "invalid_request", "begin or end is no time of this calendar") from error
    if not timedelta(0) <= last - first <= RANGE_MAX:
        raise Refused(422, "invalid_request", f"from begin to end are 0 to {RANGE_MAX.days} days")
    return first, last


def _cursor(row: Counted) -> str:
    place = json.dumps([row.hour.isoformat(), row.source, row.outcome.value])
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _place(cursor: str | None) -> Behind | None:
    if cursor is None:
        return None
    try:
        hour, source, outcome = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment = datetime.fromisoformat(hour)
        if moment.tzinfo is None or not isinstance(source, str) or "\x00" in source:
            raise ValueError("not ours")
        return Behind(moment, source, Outcome(outcome).value)
    except (ValueError, TypeError, binascii.Error) as error:
        raise Refused(422, "invalid_request", "after is not the `next` of a page") from error
