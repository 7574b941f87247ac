"""The routes of dead letters: what did not become an article, and carrying it again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import FastAPI, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from starlette.responses import Response as PlainResponse

from copydesk.models import Name, Wire
from copydesk.storage import dead_letters, raws
from copydesk.storage.connection import Connection
from copydesk.storage.dead_letters import Chosen
from services.api.articles import Limit, Text
from services.api.database import Database
from services.api.problems import Refused
from services.api.responses import AWAY, BODY, MISSING, SAME
from services.api.tags import tagged

Number = Annotated[int, Path(ge=1, le=2**63 - 1, description="The letter's number.")]
Ended = Literal["dead", "rejected"]
Resolution = Literal["asked", "replayed", "discarded", "impossible"]


class LetterListed(BaseModel):
    """An item that did not become an article."""

    id: int
    job: str
    item: str
    source: str
    outcome: Ended = Field(description="`dead` is our fault, `rejected` its own.")
    stage: str
    code: str
    reason: str
    raw_sha256: str | None
    resolution: Resolution | None = Field(description="What became of it; null while nobody has dealt with it.")
    note: str | None
    replay_id: str | None = Field(description="The job that carries it again.")
    recorded_at: datetime
    resolved_at: datetime | None


class Letter(LetterListed):
    """A letter with all that is known of it."""

    trace: str | None
    context: Any = Field(description="What its job said of it: kind, origin, hints, meta.")


class Letters(BaseModel):
    """Letters, the newest first, and where the next page begins."""

    letters: list[LetterListed]
    next: int | None = Field(description="`before` of the next page; null on the last one.")


class Cause(BaseModel):
    """How many letters nobody has dealt with, of one cause."""

    code: str
    outcome: Ended
    letters: int
    first_at: datetime
    last_at: datetime
    reason: str = Field(description="What the newest says.")


class Causes(BaseModel):
    """The causes, that with the most letters first."""

    causes: list[Cause]


class Which(Wire):
    """Letters by number, or all open ones of a cause, source or outcome; all of them only when it is said."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"code": "row_refused"}]})

    ids: Annotated[list[Annotated[int, Field(ge=1, le=2**63 - 1)]], Field(min_length=1, max_length=1000)] | None = None
    code: Name | None = None
    source: Name | None = None
    outcome: Ended | None = None
    everything: bool = Field(False, description="All that nobody has dealt with.")

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if not (self.ids or self.code or self.source or self.outcome or self.everything):
            raise ValueError("name letters by ids, code, source or outcome, or say everything")
        return self

    def chosen(self) -> Chosen:
        """As storage asks."""
        return Chosen(tuple(self.ids) if self.ids else None, self.code, self.source, self.outcome)


class Discarded(Which):
    """Letters that are dealt with, and why."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ids": [17], "reason": "The sender sent it anew"}]})

    reason: Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]


class Resolved(BaseModel):
    """How many letters that was."""

    letters: int


def add_dead(app: FastAPI, database: Database) -> None:
    """Add the routes."""
    _add_reading(app, database)
    _add_resolving(app, database)


def _add_reading(app: FastAPI, database: Database) -> None:
    @app.get("/v1/dead", summary="List dead letters", responses=AWAY)
    async def list_letters(
        *,
        code: Text = None,
        source: Text = None,
        outcome: Ended | None = None,
        resolved: Annotated[bool, Query(description="Those that were dealt with too.")] = False,
        before: Annotated[int | None, Query(ge=0, le=2**63 - 1, description="`next` of the page before.")] = None,
        limit: Limit = 50,
    ) -> Letters:
        chosen = Chosen(None, code, source, outcome)

        def load(connection: Connection) -> list[LetterListed]:
            found = dead_letters.page(connection, chosen, before=before, limit=limit + 1, resolved=resolved)
            return [LetterListed(**{name: row[name] for name in LetterListed.model_fields}) for row in found]

        found = await database.ask(load)
        return Letters(letters=found[:limit], next=found[limit - 1].id if len(found) > limit else None)

    @app.get("/v1/dead/causes", summary="Count dead letters by cause", responses=AWAY)
    async def list_causes() -> Causes:
        found = await database.ask(dead_letters.causes)
        return Causes(causes=[Cause(**row) for row in found])

    @app.get("/v1/dead/{number}", response_model=Letter, summary="Read a letter", responses={**SAME, **MISSING, **AWAY})
    async def get_letter(request: Request, number: Number) -> Response:
        return tagged(request, await database.ask(lambda connection: _one(connection, number)))

    @app.get(
        "/v1/dead/{number}/raw",
        summary="Its input as it came",
        response_class=PlainResponse,
        responses={
            **MISSING,
            **AWAY,
            200: {"content": {"application/octet-stream": {}}, "description": "The bytes."},
        },
    )
    async def get_raw(number: Number) -> Response:
        def load(connection: Connection) -> bytes | None:
            digest = _one(connection, number).raw_sha256
            with connection.transaction():
                return raws.load(connection, digest) if digest else None

        data = await database.ask(load)
        if data is None:
            raise Refused(404, "no_input", f"the input of letter {number} is not kept")
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return Response(data, media_type="application/octet-stream", headers=headers)


def _add_resolving(app: FastAPI, database: Database) -> None:
    @app.post("/v1/dead/replay", status_code=202, summary="Carry letters again", responses={**BODY, **AWAY})
    async def replay(which: Which) -> Resolved:
        """From the input that was kept; the running scheduler does it within seconds."""
        chosen = which.chosen()
        return Resolved(letters=await database.ask(lambda c: dead_letters.ask_replay(c, chosen)))

    @app.post("/v1/dead/discard", summary="Mark letters as dealt with", responses={**BODY, **AWAY})
    async def discard(which: Discarded) -> Resolved:
        """They stay, with the reason."""
        chosen, reason = which.chosen(), which.reason
        return Resolved(letters=await database.ask(lambda c: dead_letters.discard(c, chosen, reason)))


def _one(connection: Connection, number: int) -> Letter:
    found = dead_letters.page(connection, Chosen((number,)), before=None, limit=1, resolved=True)
    if not found:
        raise Refused(404, "unknown_letter", f"there is no letter {number}")
    return Letter(**found[0])
