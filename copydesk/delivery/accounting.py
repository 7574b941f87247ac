"""Where a document is, and whether anything is in between: from the doors' records, Redis and Postgres together."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from copydesk.delivery import claims, spool
from copydesk.errors import DependencyError
from copydesk.queue.app import jobs_waiting
from copydesk.queue.streams import ArticleStream, connect
from copydesk.settings import Settings
from copydesk.storage import connection as database
from copydesk.storage import deletions, lookups


@dataclass(frozen=True, slots=True)
class Place:
    """One place where something that was asked for is."""

    where: str
    """`inbox`, `spool`, the outcome once it is recorded; `deleted` for what has become of its article since."""
    item_id: str
    source: str
    since: datetime
    detail: str
    article_id: str | None = None


@dataclass(slots=True)
class Audit:
    """What is in between, place by place. `problems` names what could not be looked into."""

    claims: list[str] = field(default_factory=list)
    spooled: list[str] = field(default_factory=list)
    open_jobs: list[lookups.OpenJob] = field(default_factory=list)
    jobs_in_redis: int = 0
    articles_in_stream: int = 0
    dead: int = 0
    deleted: int = 0
    """Articles that were stored and are deleted since."""
    totals: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def is_settled(self) -> bool:
        """Whether everything that was accepted has its outcome, and every place could be looked into."""
        in_between = (self.claims, self.spooled, self.open_jobs, self.jobs_in_redis, self.articles_in_stream)
        return not any(in_between) and not self.problems


def locate(settings: Settings, what: str) -> list[Place]:
    """Every place where an item id, job id, article id, file name or URL is known, the doors' first.

    Raises `DatabaseUnavailable` when only Postgres could know.
    """
    places = [
        Place("inbox", f"{claim.id}/{file.number}", claim.source, claim.received_at, "claimed, on its way")
        for claim in claims.outstanding(settings.inbox)
        for file in claim.files
        if what in (claim.id, f"{claim.id}/{file.number}", claims.printable(file.name))
    ]
    for job_id in spool.ids(settings.spool):
        found = spool.load(settings.spool, job_id)
        if found:
            places += [
                Place("spool", item.id, found.source, found.received_at, f"accepted by the {found.kind} door")
                for item in found.items
                if what in (job_id, item.id, item.hints.url, item.hints.filename)
            ]
    try:
        with database.connect(settings.postgres_url.get_secret_value()) as connection:
            found_there = lookups.find(connection, what)
            places += [
                Place(w.outcome, w.item_id, w.source, w.recorded_at, w.reason, w.article_id) for w in found_there
            ]
            articles = sorted({w.article_id for w in found_there if w.article_id})
            places += [
                Place("deleted", d.article, d.source, d.deleted_at, f"{d.reason}, by {d.deleted_by}", d.article)
                for d in deletions.among(connection, articles)
            ]
    except DependencyError:
        if not places:
            raise
    return places


def audit(settings: Settings) -> Audit:
    """Look into every place; never raises for one that is away, but says so."""
    found = Audit()
    try:
        found.claims = [claim.id for claim in claims.outstanding(settings.inbox)]
        found.spooled = spool.ids(settings.spool)
    except DependencyError as error:
        found.problems.append(str(error))
    try:
        client = connect(settings.redis_url.get_secret_value())
        found.jobs_in_redis = jobs_waiting(client)
        found.articles_in_stream = ArticleStream(client).depth()
    except DependencyError as error:
        found.problems.append(str(error))
    try:
        with database.connect(settings.postgres_url.get_secret_value()) as connection:
            found.open_jobs = lookups.open_jobs(connection)
            found.totals = lookups.totals(connection)
            found.dead = lookups.dead_count(connection)
            found.deleted = deletions.count(connection)
    except DependencyError as error:
        found.problems.append(str(error))
    return found
