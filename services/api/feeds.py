"""The routes of feeds: which are polled, how they are doing, and what would come in of one."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Path, Query, Request, Response
from pydantic import ValidationError

from copydesk.delivery.subscriptions import subscription
from copydesk.delivery.trial_answers import TrialResult
from copydesk.errors import AddressRefused, RowRefused
from copydesk.settings import Settings
from copydesk.storage import feed_changes, feeds
from copydesk.storage.connection import Connection
from services.api.articles import Limit, Text
from services.api.database import Database
from services.api.feed_schemas import Feed, FeedChange, Feeds, NewFeed, Poll, Polls, Tried
from services.api.problems import Refused
from services.api.responses import AWAY, BODY, KNOWN, MATCHED, MISSING, SAME
from services.api.tags import IfMatch, check_match, tagged
from services.api.trials import Trials

Number = Annotated[int, Path(ge=1, le=2**63 - 1, description="Its number.")]
After = Annotated[int, Query(ge=0, le=2**63 - 1, description="`next` of the page before.")]
IsTested = Annotated[bool, Query(description="Fetch it first; where it is no feed, nothing is changed.")]
Timeout = Annotated[float, Query(gt=0, le=60, description="Seconds to wait for a fetch worker at most.")]


def add_feeds(app: FastAPI, database: Database, settings: Settings, trials: Trials) -> None:
    """Add the routes."""
    _add_trial(app, trials)
    _add_reading(app, database)
    _add_changing(app, database, settings, trials)
    _add_removing_and_polling(app, database)


def _add_trial(app: FastAPI, trials: Trials) -> None:
    @app.post("/v1/feeds/test", summary="Try a feed before it is saved", responses={**BODY, **AWAY})
    async def try_feed(
        wanted: Tried,
        timeout: Timeout = 30.0,  # noqa: ASYNC109 - it is the client's parameter
    ) -> TrialResult:
        """A fetch worker fetches it and says what would come in. Nothing is stored. 422 where it is no feed."""
        return await trials.of(wanted.url, wanted.source, timeout)


def _add_reading(app: FastAPI, database: Database) -> None:
    @app.get("/v1/feeds", summary="List feeds", responses=AWAY)
    async def list_feeds(source: Text = None, after: After = 0, limit: Limit = 50) -> Feeds:
        def load(connection: Connection) -> list[Feed]:
            with connection.transaction():
                found = feed_changes.page(connection, source=source, after=after, limit=limit + 1)
            return [Feed(**row) for row in found]

        found = await database.ask(load)
        return Feeds(feeds=found[:limit], next=found[limit - 1].id if len(found) > limit else None)

    @app.get(
        "/v1/feeds/{feed_id}",
        response_model=Feed,
        summary="Read a feed",
        responses={**SAME, **MISSING, **AWAY},
    )
    async def get_feed(request: Request, feed_id: Number) -> Response:
        return tagged(request, await database.ask(lambda connection: _one(connection, feed_id)))

    @app.get("/v1/feeds/{feed_id}/polls", summary="Its polls", responses={**MISSING, **AWAY})
    async def list_polls(
        feed_id: Number,
        before: Annotated[int | None, Query(ge=0, le=2**63 - 1, description="`next` of the page before.")] = None,
        limit: Limit = 50,
    ) -> Polls:
        def load(connection: Connection) -> list[Poll]:
            _one(connection, feed_id)
            with connection.transaction():
                found = feed_changes.polls_before(connection, feed_id, before=before, limit=limit + 1)
            return [Poll(**row) for row in found]

        found = await database.ask(load)
        return Polls(polls=found[:limit], next=found[limit - 1].id if len(found) > limit else None)


def _add_changing(app: FastAPI, database: Database, settings: Settings, trials: Trials) -> None:
    @app.post(
        "/v1/feeds",
        status_code=201,
        response_model=Feed,
        summary="Poll a feed from now on",
        responses={**BODY, **KNOWN, **AWAY},
    )
    async def add_feed(request: Request, wanted: NewFeed, test: IsTested = False) -> Response:
        row = _subscription(wanted, settings)
        if test:
            await trials.of(row.url, row.source, settings.fetch_whole_s)
        found = await database.ask(lambda connection: _add(connection, row, is_on=wanted.enabled is not False))
        return tagged(request, found, 201, Location=f"/v1/feeds/{found.id}")

    @app.patch(
        "/v1/feeds/{feed_id}",
        response_model=Feed,
        summary="Change a feed",
        responses={**BODY, **MISSING, **KNOWN, **MATCHED, **AWAY},
    )
    async def change_feed(
        request: Request, feed_id: Number, wanted: FeedChange, test: IsTested = False, if_match: IfMatch = None
    ) -> Response:
        """What is not given stays. Another address is polled at once, from its beginning."""
        target = _subscription(NewFeed(url=wanted.url), settings).url if wanted.url else None
        if test:
            before = await database.ask(lambda connection: _one(connection, feed_id))
            await trials.of(target or before.url, before.source, settings.fetch_whole_s)

        def change(connection: Connection) -> Feed:
            with connection.transaction():
                found = _one(connection, feed_id, lock=True)
                check_match(if_match, found)
                new = wanted.model_dump(exclude={"url"})
                feed_changes.change(connection, feed_changes.Change(url=found.url, new_url=target, **new))
                return _one(connection, feed_id)

        try:
            return tagged(request, await database.ask(change))
        except RowRefused as error:  # its address is unique
            raise _known(target or "") from error


def _add_removing_and_polling(app: FastAPI, database: Database) -> None:
    @app.delete(
        "/v1/feeds/{feed_id}",
        status_code=204,
        summary="Forget a feed",
        responses={**MISSING, **MATCHED, **AWAY},
    )
    async def remove_feed(feed_id: Number, if_match: IfMatch = None) -> Response:
        """It is not polled any more, and its log goes. Its articles stay; what is on its way is stored."""

        def remove(connection: Connection) -> None:
            with connection.transaction():
                check_match(if_match, _one(connection, feed_id, lock=True))
                feed_changes.remove(connection, feed_id)

        await database.ask(remove)
        return Response(status_code=204)

    @app.post("/v1/feeds/{feed_id}/poll", status_code=202, summary="Poll it now", responses={**MISSING, **AWAY})
    async def poll_feed(feed_id: Number) -> Feed:
        """The running scheduler and fetch workers do it; one that is off is not polled."""

        def ask(connection: Connection) -> Feed:
            with connection.transaction():
                feeds.make_due(connection, [_one(connection, feed_id).url])
                return _one(connection, feed_id)

        return await database.ask(ask)


def _one(connection: Connection, feed_id: int, *, lock: bool = False) -> Feed:
    with connection.transaction():
        found = feed_changes.one(connection, feed_id, lock=lock)
    if found is None:
        raise Refused(404, "unknown_feed", f"there is no feed {feed_id}")
    return Feed(**found)


def _add(connection: Connection, row: feeds.NewFeed, *, is_on: bool) -> Feed:
    with connection.transaction():
        is_new = feeds.add(connection, [row])
        number = feed_changes.number_of(connection, row.url)
        if not is_new:
            raise _known(row.url, number)
        if not is_on:
            feed_changes.change(connection, feed_changes.Change(url=row.url, enabled=False))
        return _one(connection, number or 0)


def _subscription(wanted: NewFeed, settings: Settings) -> feeds.NewFeed:
    try:
        return subscription(
            wanted.url,
            settings,
            source=wanted.source,
            title=wanted.title,
            full_text=wanted.full_text,
            interval_min_s=wanted.interval_min_s,
            interval_max_s=wanted.interval_max_s,
        )
    except AddressRefused as error:
        raise Refused(422, error.code, str(error)) from error
    except ValidationError as error:
        raise Refused(422, "invalid_request", "; ".join(fault["msg"] for fault in error.errors())) from error


def _known(url: str, number: int | None = None) -> Refused:
    return Refused(409, "known_feed", f"there is a feed at {url} already", feed=number)
