"""Writers for tests: their stream, their databases, and what stands there afterwards."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from copydesk.delivery.writer import Writer
from copydesk.queue import streams
from copydesk.queue.entries import Outgoing
from copydesk.queue.likeness_index import LikenessIndex
from copydesk.queue.streams import ArticleStream


@dataclass
class Desk:
    """A stream and a database, and as many writers as a test asks for."""

    stream: ArticleStream
    redis_url: str
    database_url: str

    def writer(self, consumer: str = "me", **changes: Any) -> Writer:
        stop = changes.pop("stop", None) or threading.Event()
        options: dict[str, Any] = {
            "batch_size": 200,
            "claim_idle_s": 60.0,
            "deadline_s": 10.0,
            "pause": stop.wait,
            "is_stopping": stop.is_set,
        }
        client = streams.connect(self.redis_url)
        index = LikenessIndex(client, window_s=86400.0, bytes_max=1 << 30)
        return Writer(ArticleStream(client), index, self.database_url, consumer, **options | changes)

    def publish(self, entries: Iterable[Any]) -> None:
        self.stream.publish([entry if isinstance(entry, Outgoing) else Outgoing(entry) for entry in entries])

    def drain(self, writer: Writer) -> None:
        """Step until nothing is left."""
        while self.stream.depth():
            writer.step()

    def store(self, entries: Iterable[Any]) -> None:
        """Publish entries and write them, with a writer of their own."""
        self.publish(entries)
        writer = self.writer()
        self.drain(writer)
        writer.close()

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[Any]:
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def outcomes(self) -> dict[str, str]:
        return dict(self.rows("select item_id, outcome from receipt"))

    def closed(self) -> dict[str, tuple[int, int]]:
        """(done, total) of each closed job."""
        found = self.rows("select id, done, total from ingest where closed_at is not null")
        return {job_id: (done, total) for job_id, done, total in found}

    def shape(self) -> dict[str, list[Any]]:
        """Everything that must not depend on how often or in which order entries came."""
        return {
            "articles": sorted(self.rows("select id, title, text, revision from article"), key=repr),
            "receipts": sorted(self.rows("select ingest_id, item_id, outcome, revision from receipt")),
            "jobs": sorted(self.rows("select id, done, total, closed_at is not null from ingest")),
            "dead": sorted(self.rows("select ingest_id, item_id, code from dead_letter")),
        }

    def check(self) -> None:
        """Nothing hangs in the air, whatever was killed or repeated."""
        for what, query in _UNSOUND.items():
            assert self.rows(query) == [], what


_UNSOUND = {
    "a key without its article": """
        select * from identity_key k where not exists (select 1 from article_head h where h.id = k.article_id)""",
    "an article without its current revision": """
        select h.id from article_head h
         where not exists (select 1 from revision r where r.article_id = h.id and r.number = h.current_revision)
           and not exists (select 1 from deletion d where d.article_id = h.id)""",
    "a gap in the numbers": """
        select article_id from revision group by 1 having count(*) <> max(number) or min(number) <> 1""",
    "a receipt of an article that is not there": """
        select * from receipt r
         where article_id is not null and not exists (select 1 from article_head h where h.id = r.article_id)
           and not exists (select 1 from follower f where f.leader_id = r.article_id)""",
    "a sighting of an article that is neither there nor expected": """
        select * from sighting s
         where not exists (select 1 from article_head h where h.id = s.article_id)
           and not exists (select 1 from follower f where f.leader_id = s.article_id)""",
    "a follower of a document that is settled": """
        select f.* from follower f join sketch s on s.document_id = f.leader_id where s.is_settled
           and s.article_id = s.document_id""",
    "an article that no receipt, or more than one, stored": """
        select h.id from article_head h
         where 1 <> (select count(*) from receipt r where r.article_id = h.id and r.outcome = 'stored')""",
    "a revision without its receipt": """
        select * from revision v where not exists
               (select 1 from receipt r where r.article_id = v.article_id and r.revision = v.number)""",
    "one text stored as two articles": "select body from revision where number = 1 group by 1 having count(*) > 1",
    "a job that counts otherwise than its receipts": """
        select i.id from ingest i
          where i.done <> i.unchanged_count + (select count(*) from receipt r where r.ingest_id = i.id)""",
    "an unchanged item that is not counted": """
        select id from ingest
         where cardinality(unchanged) <> case when closed_at is null then unchanged_count else 0 end""",
}


@contextlib.contextmanager
def desk_on(redis_url: str, database_url: str) -> Iterator[Desk]:
    with streams.connect(redis_url) as client:
        stream = ArticleStream(client)
        stream.create_group()
        yield Desk(stream, redis_url, database_url)
