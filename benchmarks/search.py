"""Search: articles indexed a second, bytes of index an article, and milliseconds a query, by language.

python -m benchmarks.search [--articles 20000]

The texts are made of pieces of tests/cases/text, so each language has its own words or characters in their real
frequencies. Queries are pieces of stored texts: two words, or three characters of a script without spaces.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
import uuid
from contextlib import ExitStack
from pathlib import Path

from copydesk import stack
from copydesk.delivery import finding
from copydesk.delivery.changes import number_changes
from copydesk.delivery.search_index import index_texts
from copydesk.settings import load
from copydesk.storage import connection as database
from copydesk.storage.connection import Connection

CASES = Path(__file__).resolve().parent.parent / "tests" / "cases" / "text"
LANGUAGES = ("en", "de", "ru", "zh", "ja", "ko", "th")
UNSPACED = ("zh", "ja", "th")
QUERIES = 40

_INSERT = """
with head as (insert into article_head (id, source, current_revision, cluster_id)
              values (%(id)s, 'bench', 1, %(id)s)),
     event as (insert into outbox (event, article_id, revision, ingest_id, item_id)
               values ('stored', %(id)s, 1, 'bench', %(id)s::text))
insert into revision (article_id, number, format, language, title, zone_unknown, authors, credits, rights, captions,
       corrections, body, pieces, warnings, rules_version, item_sha256, content_sha256, raw_sha256, received_at)
values (%(id)s, 1, 'text', %(language)s, %(title)s, false, '{}', '{}', '{}', '{}', '{}', %(body)s, '[]', '{}', '', '',
       '', '', now())
"""


def main() -> None:
    """Fill, index, ask."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--articles", type=int, default=20_000)
    count = parser.parse_args().articles
    random_ = random.Random(5)
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="copydesk-bench-")))
        settings, _ = cleanup.enter_context(stack.servers(load({}, data_dir=folder), embedded=True))
        stack.prepare(settings)
        connection = cleanup.enter_context(database.connect(settings.postgres_url.get_secret_value(), deadline_s=600))
        texts = {language: _fill(connection, language, count // len(LANGUAGES), random_) for language in LANGUAGES}
        number_changes(connection)
        started = time.perf_counter()
        index_texts(connection)
        print(f"indexed: {count / (time.perf_counter() - started):,.0f} articles/s")
        with connection.transaction():
            connection.execute("analyze article_text")
            row = connection.execute(
                "select pg_relation_size('article_text_words'), pg_total_relation_size('article_text')"
            ).fetchone()
        if row:
            print(f"index: {row[0] / count:,.0f} bytes an article; with its table {row[1] / count:,.0f}")
        for language, pieces in texts.items():
            _ask(connection, language, pieces, random_)


def _fill(connection: Connection, language: str, count: int, random_: random.Random) -> list[str]:
    """Store articles of about 3 KB; returns the text that they are made of, cut into pieces."""
    found = " ".join(
        path.read_text(encoding="utf-8", errors="ignore") for path in sorted(CASES.glob(f"{language}-*/input.txt"))
    )
    size = 4 if language in UNSPACED else 1
    pieces = ["".join(found.split())[i : i + size] for i in range(0, len(found), size)] if size > 1 else found.split()
    joint = "" if language in UNSPACED else " "
    with connection.transaction(), connection.cursor() as cursor:
        for _ in range(count):
            words = random_.choices(pieces, k=250 if language in UNSPACED else 450)
            body = [joint.join(words[i : i + 60]) for i in range(0, len(words), 60)]
            cursor.execute(
                _INSERT,
                {"id": str(uuid.uuid4()), "language": language, "title": joint.join(words[:8]), "body": body},
            )
    return pieces


def _ask(connection: Connection, language: str, pieces: list[str], random_: random.Random) -> None:
    for name, order in (("relevance", True), ("newest", False)):
        taken, hits = [], 0
        for _ in range(QUERIES):
            words = [w for w in random_.choices(pieces, k=20) if any(c.isalpha() for c in w[:3])]
            query = words[0][:3] if language in UNSPACED else " ".join(words[:2])
            query = query.replace("-", " ").replace('"', " ")
            started = time.perf_counter()
            hits += bool(finding.find(connection, query, by_relevance=order, limit=20))
            taken.append(1000 * (time.perf_counter() - started))
        middle, high = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
        print(f"{language}, {name}: median {middle:.1f} ms, 95 % {high:.1f} ms, {hits} of {QUERIES} found something")


if __name__ == "__main__":
    main()
