"""The HTTP door's routes and its OpenAPI document."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import FastAPI, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, StringConstraints

from copydesk import __version__
from copydesk.delivery.profile_trials import ProfileTrials
from copydesk.errors import DatabaseUnavailable
from copydesk.models import Hints, Name
from copydesk.settings import Settings
from copydesk.storage import items
from copydesk.storage.receipts import Receipt
from services.api import answers, problems
from services.api.access import Guarded, scope_of
from services.api.articles import add_articles
from services.api.bodies import DOCUMENT_TYPES, JSON, MULTIPART, NDJSON
from services.api.bounded import Bounded
from services.api.dead import add_dead
from services.api.deletion import add_deletion
from services.api.door import Door, Sender
from services.api.feeds import add_feeds
from services.api.ids import status_url
from services.api.measured import Measured
from services.api.memory import Acceptance
from services.api.origins import LOOPBACK, OwnPagesOnly
from services.api.problems import Refused, come_back
from services.api.responses import KEYED
from services.api.schemas import Accepted, DocumentIn, Live, Pending, Problem, Ready, Settled, Stored, check_hint
from services.api.search import add_search
from services.api.sources import add_sources
from services.api.stats import add_stats
from services.api.waiting import Stopping

DESCRIPTION = """\
Takes news documents and tells what became of them. A 202 means: on disk, and it will end in exactly one outcome,
whatever fails meanwhile. Every error is `application/problem+json` (RFC 9457); where `Retry-After` stands, the same
request may succeed later.
"""

REFUSALS = {
    400: "The client left before its request was whole.",
    408: "The client sent nothing for too long.",
    413: "The request, a document of it, or their number is above the limit; told as soon as it is.",
    415: "The media type, or a Content-Encoding, is not taken.",
    422: "A parameter or a document is wrong, or the Idempotency-Key was used with other documents. Nothing was taken.",
    429: "More articles wait to be stored than the mark allows.",
    503: "The disk takes no more; or, with `wait=stored`, it was accepted and not stored in time (`items`).",
}


KEY_SCHEME = "key"


def _no_control(name: str) -> AfterValidator:
    def check(value: str | None) -> str | None:
        if value is not None:
            check_hint(name, value)
        return value

    return AfterValidator(check)


def _unquoted(key: str | None) -> str | None:
    # The header's draft standard has it in quotes, most senders have not.
    return key[1:-1] if key and len(key) > 2 and key[0] == key[-1] == '"' else key


Source = Annotated[Name, Query(description="The sender; ids and names count within it.", examples=["desk"])]
Filename = Annotated[str | None, _no_control("filename"), Query(max_length=2000, description="The document's name.")]
Url = Annotated[str | None, _no_control("url"), Query(max_length=2000, description="The document's address.")]
Wait = Annotated[Literal["stored"] | None, Query(description="Answer after the commit, with the article's id.")]
Timeout = Annotated[float, Query(gt=0, le=300, description="Seconds to wait at most.")]
Key = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$"),
]
IdempotencyKey = Annotated[
    Key | None,
    AfterValidator(_unquoted),
    Header(
        description="Names this delivery within its source: it is the document's id, where the document gives none "
        "(`<key>/<number>` of several). The same documents under it are stored once and get the same ids and outcome. "
        "Other documents are refused with 422 while this process remembers the key (the last 10,000), and end as "
        "`rejected` with the code `item_conflict` otherwise.",
    ),
]
ItemId = Annotated[Name, Path(description="As it was answered.", examples=["desk-4711"])]


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {s: {"description": REFUSALS[s], "content": {problems.MEDIA_TYPE: schema}} for s in statuses}


REQUEST_BODY = {
    "required": True,
    "content": {
        **{name: {"schema": {"type": "string", "format": "binary"}} for name in sorted(DOCUMENT_TYPES)},
        JSON: {"schema": {"$ref": "#/components/schemas/DocumentIn"}},
        NDJSON: {
            "schema": {"type": "string", "description": "A DocumentIn a line."},
            "example": '{"id": "a", "body": "First story …"}\n{"id": "b", "body": "Second story …"}\n',
        },
        MULTIPART: {
            "schema": {
                "type": "object",
                "properties": {"file": {"type": "array", "items": {"type": "string", "format": "binary"}}},
                "description": "Every part is a file; its filename and Content-Type count.",
            }
        },
    },
}


def create_app(settings: Settings) -> FastAPI:
    """The application; its `state.door` is what the process stops."""
    door = Door(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        door.start()
        yield
        await to_thread.run_sync(door.stop)

    app = FastAPI(
        title="copydesk",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
    )
    app.state.door = door
    problems.install(app)
    if door.access:
        app.add_middleware(Guarded, access=door.access)
    app.add_middleware(Bounded)
    app.add_middleware(OwnPagesOnly, near_only=settings.http_keys == "none" and settings.http_host in LOOPBACK)
    app.add_middleware(Measured)
    _add_documents(app, door)
    _add_items(app, door)
    add_articles(app, door.database)
    add_deletion(app, door.administration)
    add_search(app, door.database)
    add_feeds(app, door.administration, settings, door.trials)
    add_sources(app, door.administration, ProfileTrials(settings))
    add_dead(app, door.administration)
    add_stats(app, door.database)
    _add_health(app, door)
    _complete_openapi(app)
    return app


def _add_documents(app: FastAPI, door: Door) -> None:
    @app.post(
        "/v1/documents",
        status_code=202,
        response_model=Accepted,
        summary="Hand over documents",
        responses={200: {"model": Stored, "description": "With `wait=stored`."}, **_problems(*REFUSALS)},
        openapi_extra={"requestBody": REQUEST_BODY},
    )
    async def post_documents(
        request: Request,
        *,
        source: Source = "http",
        filename: Filename = None,
        url: Url = None,
        wait: Wait = None,
        timeout: Timeout = 30.0,  # noqa: ASYNC109 - it is the client's parameter
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        sender = Sender(source, Hints(filename=filename, url=url), idempotency_key)
        acceptance = await door.take(request, sender)
        if wait is None:
            answer = answers.accepted(acceptance)
            return _json(answer.model_dump_json(), 202, {"Location": answer.status_url})
        return _json((await _stored(door, acceptance, timeout)).model_dump_json(), 200, {})


async def _stored(door: Door, acceptance: Acceptance, timeout_s: float) -> Stored:
    told = [item.model_dump() for item in answers.accepted_items(acceptance)]
    try:
        found = await door.waiting.receipts_of(acceptance.jobs, timeout_s)
    except TimeoutError as error:
        detail = f"Accepted, and not stored after {timeout_s:g} s; ask again where status_url says."
        raise come_back(503, "not_stored_yet", detail, items=told) from error
    except Stopping as error:
        detail = "Accepted, and not stored yet: the door is closing; ask again where status_url says."
        raise come_back(503, "stopping", detail, items=told) from error
    settled = []
    for (item_id, job_id), own in answers.own_receipts(acceptance, found).items():
        if answers.is_repeated(own):
            own = await _of_item(door, acceptance.source, item_id) or own  # noqa: PLW2901 - the same, from further back
        if not own:
            raise come_back(503, "not_stored_yet", f"{item_id} has no outcome in job {job_id} yet", items=told)
        settled.append(answers.settled(acceptance.source, item_id, own))
    return answers.stored(acceptance, settled)


def _add_items(app: FastAPI, door: Door) -> None:
    @app.get(
        "/v1/items/{item_id:path}",
        response_model=Settled | Pending,
        summary="Tell where a document is",
        responses={
            404: {"description": "Nobody handed over a document under this id and source.", **_content()},
            422: {"description": REFUSALS[422], **_content()},
            503: {"description": "Only Postgres could tell, and it does not answer.", **_content()},
        },
    )
    async def get_item(item_id: ItemId, source: Source = "http") -> Settled | Pending:
        # The spool first: what leaves it meanwhile is committed, and found then.
        job_id = await to_thread.run_sync(door.index.job_of, source, item_id)
        try:
            own = await _of_item(door, source, item_id)
        except DatabaseUnavailable:
            if job_id is None:
                raise
            own = []
        if own:
            return answers.settled(source, item_id, own)
        if job_id is None:
            raise Refused(404, "unknown_item", f"no item {item_id!r} of source {source!r}")
        return Pending(id=item_id, job=job_id, status_url=status_url(source, item_id))


async def _of_item(door: Door, source: str, item_id: str) -> list[Receipt]:
    return await door.database.ask(lambda connection: items.of_item(connection, source, item_id))


def _add_health(app: FastAPI, door: Door) -> None:
    @app.get("/livez", summary="Whether the process answers")
    async def livez() -> Live:
        return Live()

    @app.get(
        "/readyz",
        response_model=Ready,
        summary="Whether documents are taken",
        responses={503: {"model": Ready, "description": "They are not: the spool is why."}},
    )
    async def readyz() -> Response:
        measured = door.pressure.measured
        below = measured.free_bytes < door.settings.spool_free_bytes_min
        spool = "below its mark" if below else "ok"
        ready = Ready(
            ready=measured.is_writable and not below,
            spool=spool if measured.is_writable else "not writable",
            spool_free_bytes=measured.free_bytes,
            redis="up" if measured.redis_up else "down",
            postgres="up" if measured.postgres_up else "down",
        )
        return _json(ready.model_dump_json(), 200 if ready.ready else 503, {})


def _content() -> dict[str, Any]:
    return {"content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def _json(body: str, status: int, headers: dict[str, str]) -> Response:
    return Response(body, status, headers, media_type=JSONResponse.media_type)


def _complete_openapi(app: FastAPI) -> None:
    """Add the models that no parameter of a route names, and what every route may answer where keys are asked for."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        schemes = {KEY_SCHEME: {"type": "http", "scheme": "bearer", "description": "Where keys are asked for."}}
        document["components"]["securitySchemes"] = schemes
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                if scope := scope_of(method.upper(), path):
                    operation["security"] = [{KEY_SCHEME: []}, {}]
                    operation["x-scope"] = scope
                    for status, said in KEYED.items():
                        operation["responses"].setdefault(str(status), said)
        schemas = document["components"]["schemas"]
        for model in (Problem, DocumentIn):
            if model.__name__ not in schemas:
                described = model.model_json_schema(ref_template="#/components/schemas/{model}")
                schemas.update(described.pop("$defs", {}))
                schemas[model.__name__] = described
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it
