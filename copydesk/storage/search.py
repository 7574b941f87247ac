"""Table article_text: what articles are found by, and the question to it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, LiteralString, NamedTuple, cast

from psycopg.rows import dict_row

from copydesk.searches import SearchQuery, SearchTerm
from copydesk.storage.connection import Connection
from copydesk.storage.rows import Row, send

# Articles of one transaction; at 3 KB a text they take 100 ms.
BATCH = 100

# Ranked by relevance are the newest of the found; beyond, a common word would cost seconds.
RANKED_MAX = 2000

_CHANGED = """
select h.id::text, h.position, r.number, r.language, coalesce(r.title, ''),
       coalesce(array_to_string(r.body, E'\\n'), '')
  from article_head h left join revision r on r.article_id = h.id and r.number = h.current_revision
 where h.position > %s order by h.position limit %s
"""

_DROP = "delete from article_text where article_id = any (%s::uuid[])"

_WRITE = """
insert into article_text (article_id, revision, configuration, words)
select article_id, revision, configuration,
       setweight(to_tsvector(configuration::regconfig, title), 'A')
    || setweight(title_runs::tsvector, 'A')
    || setweight(to_tsvector(configuration::regconfig, body), 'D')
    || setweight(body_runs::tsvector, 'D')
  from json_to_recordset(%s::json) as t(
       article_id uuid, revision integer, configuration text, title text, title_runs text, body text, body_runs text)
    on conflict (article_id) do update
   set revision = excluded.revision, configuration = excluded.configuration, words = excluded.words
"""

# The configurations in use, by one look into the index for each instead of a scan of all articles.
_CONFIGURATIONS = """
with recursive used as (
    (select configuration from article_text order by configuration limit 1)
    union all
    select (select t.configuration from article_text t where t.configuration > used.configuration
             order by t.configuration limit 1)
      from used where used.configuration is not null)
select configuration from used where configuration is not null
"""

# What lists show, and what the snippets are cut from.
_SHOWN = """
select a.id::text, a.source, a.revision, a.publisher, a.language, a.title, a.section, a.published_at, a.published_text,
       a.zone_unknown, a.updated_text, a.authors, a.dateline, a.rights, a.format, a.url, a.guid, a.name, a.warnings,
       a.received_at, a.stored_at, a.changed_at, h.position, a.text, t.configuration
"""


class ChangedText(NamedTuple):
    """An article whose text is to be written anew."""

    article_id: str
    position: int
    revision: int | None
    """None where the article was deleted."""
    language: str | None
    title: str
    body: str


def changed_texts(connection: Connection, position: int) -> list[ChangedText]:
    """The next articles that changed behind a position, in the order of their changes, at most `BATCH`."""
    with connection.cursor() as cursor:
        cursor.execute(_CHANGED, (position, BATCH))
        return [ChangedText(*row) for row in cursor.fetchall()]


def write(connection: Connection, rows: Sequence[Row]) -> None:
    """Make texts findable, in place of what stood for their articles."""
    send(connection, _WRITE, rows)


def drop(connection: Connection, article_ids: Sequence[str]) -> None:
    """Make articles that were deleted not findable, also where their text was read just before."""
    connection.execute(_DROP, (list(article_ids),))


def configurations(connection: Connection) -> list[str]:
    """The text search configurations of what is stored."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_CONFIGURATIONS)
        return [str(name) for (name,) in cursor.fetchall()]


def search(
    connection: Connection,
    query: SearchQuery,
    used: Sequence[str],
    *,
    language: str | None,
    source: str | None,
    by_relevance: bool,
    before: str | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Articles that a query finds: newest first, or the newest 2,000 by relevance, title before body.

    `used` are the configurations that are asked. Each article has `text` and `configuration` beside what lists show.
    `before` is the last id of the page before, newest first only.
    """
    if not used:
        return []
    asked = _Asked()
    by_name = [(asked.value(name), asked.query(query, name)) for name in used]
    where = [" or ".join(f"(t.configuration = {name} and t.words @@ ({words}))" for name, words in by_name)]
    for value, condition in ((language, "a.language = "), (source, "a.source = "), (before, "t.article_id < ")):
        if value is not None:
            where.append(condition + asked.value(value))
    found = f"""
        select t.article_id, t.configuration, t.words
          from article_text t join article a on a.id = t.article_id
         where {" and ".join(f"({condition})" for condition in where)}
         order by t.article_id desc limit {asked.value(RANKED_MAX if by_relevance else limit)}"""  # noqa: S608 - every value is a parameter
    rank = " ".join(f"when {name} then ts_rank(t.words, {words})" for name, words in by_name)
    order = f"case t.configuration {rank} end desc, t.article_id desc" if by_relevance else "t.article_id desc"
    statement = f"""{_SHOWN} from ({found}) t join article a on a.id = t.article_id
          join article_head h on h.id = t.article_id order by {order} limit {asked.value(limit)}"""
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(_own(statement), asked.values)
        return cursor.fetchall()


def forms(connection: Connection, query: SearchQuery, name: str, words: Collection[str]) -> set[str]:
    """Which of some words a query means, by the stems of a configuration."""
    asked = _Asked()
    wanted = [asked.words(one, name) for term in query.wanted for one in term.terms.words.split()]
    if not wanted or not words:
        return set()
    form = f"to_tsvector({asked.value(name)}::regconfig, form)"
    statement = f"""select form from unnest({asked.value(sorted(words))}::text[]) form
         where {" or ".join(f"{form} @@ {one}" for one in wanted)}"""  # noqa: S608 - as above
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_own(statement), asked.values)
        return {str(form) for (form,) in cursor.fetchall()}


class _Asked:
    """Builds a statement whose every value is a parameter."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def value(self, value: object) -> str:
        """The placeholder of a value."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"%({name})s"

    def words(self, words: str, configuration: str) -> str:
        """Words that stand one behind the other."""
        return f"phraseto_tsquery({self.value(configuration)}::regconfig, {self.value(words)})"

    def query(self, query: SearchQuery, configuration: str) -> str:
        """The whole query as an expression of type tsquery."""
        return " || ".join(
            "(" + " && ".join(self._term(term, configuration) for term in one) + ")" for one in query.alternatives
        )

    def _term(self, term: SearchTerm, configuration: str) -> str:
        parts = [self.words(term.terms.words, configuration)] if term.terms.words else []
        for run in term.terms.runs:
            # A lone character begins a pair, or is one of its own.
            phrase = f"'{run[0]}':*" if len(run[0]) == 1 else " <-> ".join(f"'{pair}'" for pair in run)
            parts.append(f"{self.value(phrase)}::tsquery")
        whole = "(" + " && ".join(parts) + ")"
        return f"!!{whole}" if term.is_excluded else whole


def _own(statement: str) -> LiteralString:
    """Our own text and placeholders alone; psycopg wants to be told so."""
    return cast(LiteralString, statement)  # type: ignore[redundant-cast]  # mypy takes LiteralString for str
