"""Tables learnt_line and source_profile: what is known of sources beside the files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.rows import dict_row

from copydesk.storage.connection import Connection
from copydesk.storage.rows import Row, send

_NEXT = """
select o.position, h.source, r.pieces
  from outbox o
  join article_head h on h.id = o.article_id
  join revision r on r.article_id = h.id and r.number = 1
 where o.position > %s and o.event = 'stored'
 order by o.position limit %s
"""

_KNOWN = """
select source, key from learnt_line
 where (source, key) in (select source, key from json_to_recordset(%s::json) as t(source text, key text))
   and stories < %s
"""

_COUNT = """
insert into learnt_line (source, key, text, stories, at_edge, is_prose)
select source, key, text, stories, at_edge, is_prose
  from json_to_recordset(%s::json) as t(
       source text, key text, text text, stories integer, at_edge integer, is_prose boolean)
 order by source, key
    on conflict (source, key) do update
   set stories = learnt_line.stories + excluded.stories, at_edge = learnt_line.at_edge + excluded.at_edge,
       last_seen = now()
"""

# What was shown once and never again teaches nothing, and is most of the table.
_FORGET = (
    "delete from learnt_line where stories = 1 and not is_undone and last_seen < now() - make_interval(days => %s)"
)

_REPEATED = """
select l.source, l.key, l.stories, l.at_edge, l.is_prose, p.fewest_stories
  from learnt_line l left join source_profile p on p.name = l.source
 where l.stories > 1 and not l.is_undone and coalesce(p.learns, true)
   and (%(source)s::text is null or l.source = %(source)s)
"""

_PROFILES = "select name, toml, updated_at from source_profile where toml is not null order by name"

_LIST_LINES = """
select key, text, stories, at_edge, is_prose, is_undone, first_seen, last_seen from learnt_line
 where source = %s and (stories > 1 or is_undone) order by stories desc, key
"""

_LIST = """
select coalesce(p.name, l.source) as name, p.toml is not null as has_profile, coalesce(p.learns, true) as learns,
       p.fewest_stories, coalesce(l.lines, 0) as repeated_lines
  from source_profile p
  full join (select source, count(*) as lines from learnt_line where stories > 1 and not is_undone group by source) l
    on l.source = p.name
 order by 1
"""

_PAGE = f"""
select t.name, t.has_profile, t.learns, t.fewest_stories, t.repeated_lines, p.toml, p.updated_at
  from ({_LIST}) t left join source_profile p on p.name = t.name
 where (%(after)s::text is null or t.name > %(after)s) and (%(name)s::text is null or t.name = %(name)s)
 order by t.name limit %(limit)s
"""  # noqa: S608 - both are ours

_LINES_PAGE = """
select key, text, stories, at_edge, is_prose, is_undone, first_seen, last_seen from learnt_line
 where source = %(source)s and (stories > 1 or is_undone)
   and (%(stories)s::integer is null or stories < %(stories)s or (stories = %(stories)s and key > %(after)s))
   and (%(key)s::text is null or key = %(key)s)
 order by stories desc, key limit %(limit)s
"""

_IMPORT = """
insert into source_profile (name, toml) values (%s, %s)
    on conflict (name) do update set toml = excluded.toml, updated_at = now()
"""

_SWITCH = """
insert into source_profile (name, learns, fewest_stories) values (%(name)s, %(learns)s, %(fewest)s)
    on conflict (name) do update
   set learns = excluded.learns, fewest_stories = coalesce(excluded.fewest_stories, source_profile.fewest_stories),
       updated_at = now()
"""

_REMOVE = "update source_profile set toml = null, updated_at = now() where name = %s and toml is not null"

_UNDO = "update learnt_line set is_undone = %s where source = %s and key = any (%s)"


class Story(NamedTuple):
    """A new article and what its lines were."""

    position: int
    source: str
    pieces: list[dict[str, Any]]


class Repeated(NamedTuple):
    """A line that more than one story of a source showed, and the source's own floor of evidence."""

    source: str
    key: str
    stories: int
    at_edge: int
    is_prose: bool
    fewest_stories: int | None


class StoredProfile(NamedTuple):
    """An imported profile as it was written."""

    name: str
    toml: str
    updated_at: datetime


def next_stories(connection: Connection, position: int, limit: int) -> list[Story]:
    """The next new articles behind a position, in the order of the changes."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, (position, limit))
        return [Story(*row) for row in cursor.fetchall()]


def shown_before(connection: Connection, lines: Iterable[tuple[str, str]], fewest: int) -> set[tuple[str, str]]:
    """Which (source, key) were shown before, by fewer stories than make a line furniture."""
    wanted = [{"source": source, "key": key} for source, key in lines]
    if not wanted:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, (json.dumps(wanted), fewest))
        return {(str(source), str(key)) for source, key in cursor.fetchall()}


def count(connection: Connection, rows: Sequence[Row]) -> None:
    """Add sightings; rows have source, key, text, stories, at_edge and is_prose, each (source, key) once."""
    send(connection, _COUNT, rows)


def forget(connection: Connection, days: int) -> int:
    """Drop what was shown once, `days` ago or longer; returns how many lines."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, (days,))
        return cursor.rowcount


def repeated(connection: Connection, source: str | None = None) -> list[Repeated]:
    """Every repeated line of the sources that learn, or of one of them, without those that were undone."""
    with connection.cursor() as cursor:
        cursor.execute(_REPEATED, {"source": source})
        return [Repeated(*row) for row in cursor.fetchall()]


def profiles(connection: Connection) -> list[StoredProfile]:
    """Every imported profile, by name."""
    with connection.cursor() as cursor:
        cursor.execute(_PROFILES)
        return [StoredProfile(*row) for row in cursor.fetchall()]


def listed(connection: Connection) -> list[dict[str, Any]]:
    """Every source of which something is kept."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(_LIST)
        return cursor.fetchall()


def lines(connection: Connection, source: str) -> list[dict[str, Any]]:
    """The repeated and undone lines of a source, the most repeated first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(_LIST_LINES, (source,))
        return cursor.fetchall()


def page(
    connection: Connection, *, after: str | None = None, name: str | None = None, limit: int
) -> list[dict[str, Any]]:
    """The sources of which something is kept, by name, those behind `after`; or the one of a name."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(_PAGE, {"after": after, "name": name, "limit": limit})
        return cursor.fetchall()


def lines_page(
    connection: Connection,
    source: str,
    *,
    behind: tuple[int, str] | None = None,
    key: str | None = None,
    limit: int,
) -> list[dict[str, Any]]:
    """Lines as `lines` has them, those behind one that is named by (stories, key); or the one of a key."""
    stories, after = behind or (None, None)
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(_LINES_PAGE, {"source": source, "stories": stories, "after": after, "key": key, "limit": limit})
        return cursor.fetchall()


def import_profiles(connection: Connection, written: Mapping[str, str]) -> None:
    """Keep profiles, name to TOML, in place of what was kept under their names."""
    with connection.cursor() as cursor:
        cursor.executemany(_IMPORT, sorted(written.items()))


def remove_profile(connection: Connection, name: str) -> bool:
    """Forget an imported profile; False when there is none."""
    with connection.cursor() as cursor:
        cursor.execute(_REMOVE, (name,))
        return cursor.rowcount > 0


def switch(connection: Connection, name: str, *, learns: bool, fewest: int | None) -> None:
    """Switch learning for a source, and set its floor of evidence where one is given."""
    with connection.cursor() as cursor:
        cursor.execute(_SWITCH, {"name": name, "learns": learns, "fewest": fewest})


def undo(connection: Connection, source: str, keys: Sequence[str], *, is_undone: bool) -> int:
    """Never drop these lines, or drop them again; returns how many there are."""
    with connection.cursor() as cursor:
        cursor.execute(_UNDO, (is_undone, source, list(keys)))
        return cursor.rowcount
