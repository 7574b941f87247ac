"""The routes of sources: kept profiles, with a trial before, and the lines that were learnt."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from anyio import to_thread
from fastapi import FastAPI, Path, Query, Request, Response

from copydesk.delivery.knowledge import learnt_of
from copydesk.delivery.profile_trials import ProfileTrials, profile_of
from copydesk.errors import InputError, LexiconError
from copydesk.models import Hints, Name, PieceClass
from copydesk.pipeline import Processed
from copydesk.storage import sources
from copydesk.storage.connection import Connection
from services.api.articles import Limit, Text
from services.api.database import Database
from services.api.problems import Refused
from services.api.responses import AWAY, BODY, MATCHED, MISSING, SAME
from services.api.source_schemas import (
    Learning,
    LearntLine,
    Lines,
    Profile,
    ProfileTrial,
    Source,
    SourceListed,
    Sources,
    TriedDocument,
    TriedProfile,
    Undone,
)
from services.api.tags import IfMatch, check_match, tagged

Named = Annotated[Name, Path(description="The source's name.", examples=["desk"])]
Key = Annotated[str, Path(max_length=200, pattern=r"^[^\x00]+$", description="As the list of lines has it.")]


def add_sources(app: FastAPI, database: Database, trials: ProfileTrials) -> None:
    """Add the routes."""
    _add_trial(app, trials)
    _add_reading(app, database)
    _add_changing(app, database)
    _add_lines(app, database)


def _add_trial(app: FastAPI, trials: ProfileTrials) -> None:
    @app.post("/v1/sources/test", summary="Try a profile before it is kept", responses={**BODY, **AWAY})
    async def try_profile(wanted: ProfileTrial) -> TriedProfile:
        """Cleans a text by it and says what would come in. Nothing is stored. 422 where either is wrong."""
        hints = Hints(filename=wanted.filename, media_type=wanted.media_type, url=wanted.url)

        def clean() -> list[Processed]:
            return trials.of(wanted.source, wanted.toml, wanted.text.encode(), hints, datetime.now(UTC))

        try:
            found = await to_thread.run_sync(clean)
        except (LexiconError, InputError) as error:
            raise Refused(422, error.code, str(error)) from error
        return TriedProfile(documents=[_tried(one) for one in found])


def _add_reading(app: FastAPI, database: Database) -> None:
    @app.get("/v1/sources", summary="List sources", responses=AWAY)
    async def list_sources(after: Text = None, limit: Limit = 50) -> Sources:
        def load(connection: Connection) -> list[SourceListed]:
            with connection.transaction():
                found = sources.page(connection, after=after, limit=limit + 1)
            return [SourceListed(**{name: row[name] for name in SourceListed.model_fields}) for row in found]

        found = await database.ask(load)
        return Sources(sources=found[:limit], next=found[limit - 1].name if len(found) > limit else None)

    @app.get(
        "/v1/sources/{name}", response_model=Source, summary="Read a source", responses={**SAME, **MISSING, **AWAY}
    )
    async def get_source(request: Request, name: Named) -> Response:
        return tagged(request, _there(name, await database.ask(lambda c: _one(c, name))))


def _add_changing(app: FastAPI, database: Database) -> None:
    @app.put(
        "/v1/sources/{name}",
        response_model=Source,
        summary="Keep a profile",
        responses={**BODY, **MATCHED, **AWAY},
    )
    async def keep_profile(request: Request, name: Named, wanted: Profile, if_match: IfMatch = None) -> Response:
        """In place of the one before; workers use it within ten seconds. 422 where it is wrong."""
        try:
            profile_of(name, wanted.toml)
        except LexiconError as error:
            raise Refused(422, error.code, str(error)) from error

        def keep(connection: Connection) -> Source | None:
            with connection.transaction():
                _check(connection, name, if_match)
                sources.import_profiles(connection, {name: wanted.toml})
                return _one(connection, name)

        return tagged(request, _there(name, await database.ask(keep)))

    @app.delete(
        "/v1/sources/{name}",
        status_code=204,
        summary="Forget a kept profile",
        responses={**MISSING, **MATCHED, **AWAY},
    )
    async def remove_profile(name: Named, if_match: IfMatch = None) -> Response:
        """One in a file holds again; what was learnt stays."""

        def remove(connection: Connection) -> bool:
            with connection.transaction():
                _check(connection, name, if_match)
                return sources.remove_profile(connection, name)

        if not await database.ask(remove):
            raise Refused(404, "unknown_source", f"no profile of {name!r} is kept")
        return Response(status_code=204)

    @app.put(
        "/v1/sources/{name}/learning",
        response_model=Source,
        summary="Switch the learning of its lines",
        responses={**BODY, **MATCHED, **AWAY},
    )
    async def switch_learning(request: Request, name: Named, wanted: Learning, if_match: IfMatch = None) -> Response:
        def switch(connection: Connection) -> Source | None:
            with connection.transaction():
                _check(connection, name, if_match)
                sources.switch(connection, name, learns=wanted.learns, fewest=wanted.fewest_stories)
                return _one(connection, name)

        return tagged(request, _there(name, await database.ask(switch)))


def _add_lines(app: FastAPI, database: Database) -> None:
    @app.get("/v1/sources/{name}/lines", summary="The lines that it repeats", responses=AWAY)
    async def list_lines(
        name: Named,
        after: Annotated[
            str | None,
            Query(max_length=200, pattern=r"^[0-9]{1,9}\.[^\x00]+$", description="`next` of the page before."),
        ] = None,
        limit: Limit = 50,
    ) -> Lines:
        stories, _, key = (after or "").partition(".")
        behind = (int(stories), key) if after else None

        def load(connection: Connection) -> list[LearntLine]:
            return _lines(connection, name, behind=behind, limit=limit + 1)

        found = await database.ask(load)
        last = found[limit - 1] if len(found) > limit else None
        return Lines(lines=found[:limit], next=f"{last.stories}.{last.key}" if last else None)

    @app.put(
        "/v1/sources/{name}/lines/{key}",
        summary="Never drop a line again, or take that back",
        responses={**BODY, **MISSING, **AWAY},
    )
    async def undo_line(name: Named, key: Key, wanted: Undone) -> LearntLine:
        """Stories that were stored without it can be cleaned anew from their inputs."""

        def undo(connection: Connection) -> list[LearntLine]:
            with connection.transaction():
                sources.undo(connection, name, [key], is_undone=wanted.is_undone)
                return _lines(connection, name, key=key, limit=1)

        found = await database.ask(undo)
        if not found:
            raise Refused(404, "unknown_line", f"{name} has no such repeated line")
        return found[0]


def _lines(
    connection: Connection, name: str, *, behind: tuple[int, str] | None = None, key: str | None = None, limit: int
) -> list[LearntLine]:
    with connection.transaction():
        found = sources.lines_page(connection, name, behind=behind, key=key, limit=limit)
        dropped = learnt_of(sources.repeated(connection, name)).get(name)
    keys = dropped.keys if dropped else frozenset()
    return [LearntLine(**row, is_dropped=row["key"] in keys) for row in found]


def _one(connection: Connection, name: str) -> Source | None:
    with connection.transaction():
        found = sources.page(connection, name=name, limit=1)
    return Source(**found[0]) if found else None


def _there(name: str, found: Source | None) -> Source:
    if found is None:
        raise Refused(404, "unknown_source", f"nothing is kept of {name!r}")
    return found


def _check(connection: Connection, name: str, if_match: str | None) -> None:
    if if_match is None:
        return
    found = _one(connection, name)
    if found is None:
        raise Refused(412, "changed_meanwhile", "Nothing is kept of this source any more.")
    check_match(if_match, found)


def _tried(one: Processed) -> TriedDocument:
    document = one.document
    if document is None:
        return TriedDocument(is_article=False, reason=one.reason)
    return TriedDocument(
        is_article=True,
        reason="",
        title=document.title,
        publisher=document.publisher,
        published_at=document.published_at,
        language=document.language,
        authors=document.authors,
        rights=document.rights,
        body=document.body,
        removed=tuple(p for p in document.pieces if p.kind not in (PieceClass.TITLE, PieceClass.BODY)),
        warnings=document.warnings,
    )
