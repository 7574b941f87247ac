"""A search as a person types it, answered with the articles and where in them it was met."""

from __future__ import annotations

from typing import NamedTuple

from copydesk.searches import SearchQuery
from copydesk.searching.highlight import candidates, snippets
from copydesk.searching.query import read_query
from copydesk.searching.terms import AS_WRITTEN, CONFIGURATIONS, configuration, plain_runs
from copydesk.storage import search
from copydesk.storage.connection import Connection
from copydesk.storage.reading import Fields


class Found(NamedTuple):
    """An article, and pieces of its text as HTML with the met words in `<mark>`."""

    article: Fields
    snippets: list[str]


def find(
    connection: Connection,
    query: str,
    *,
    language: str | None = None,
    source: str | None = None,
    by_relevance: bool,
    before: str | None = None,
    limit: int,
) -> list[Found]:
    """Articles that have the words; see `storage.search.search`. Raises `InvalidQuery`."""
    asked = read_query(query)
    known = {*CONFIGURATIONS.values(), AS_WRITTEN}
    used = {configuration(language)} if language else set(search.configurations(connection))
    found = search.search(
        connection,
        asked,
        sorted(used & known),
        language=language,
        source=source,
        by_relevance=by_relevance,
        before=before,
        limit=limit,
    )
    return [Found(row, _snippets(connection, asked, row)) for row in found]


def _snippets(connection: Connection, query: SearchQuery, row: Fields) -> list[str]:
    text = row["text"]
    words = [word for term in query.wanted for word in term.terms.words.split()]
    met = search.forms(connection, query, row["configuration"], candidates(text, words)) if words else set()
    return snippets(text, met, plain_runs(query))
