"""Reads what a person types: words, "a phrase", -without, this OR that; nothing in it is an error but emptiness."""

from __future__ import annotations

import re

from copydesk.errors import InvalidQuery
from copydesk.searches import SearchQuery, SearchTerm
from copydesk.searching.terms import terms

CHARS_MAX = 500
TERMS_MAX = 30

_TOKEN = re.compile(r'(-?)"([^"]*)"?|(\S+)')


def read_query(text: str) -> SearchQuery:
    """Raises `InvalidQuery` where nothing is left to look for, or too much is asked."""
    if len(text) > CHARS_MAX:
        raise InvalidQuery("query", f"longer than {CHARS_MAX} characters")
    alternatives: list[list[SearchTerm]] = [[]]
    for minus, quoted, bare in _TOKEN.findall(text):
        if bare == "OR":
            alternatives.append([])
            continue
        excluded = bool(minus) or (bare.startswith("-") and len(bare) > 1)
        found = terms(quoted or bare)
        if found.words or found.runs:
            alternatives[-1].append(SearchTerm(found, excluded))
    asked = tuple(tuple(one) for one in alternatives if one)
    if not asked or not all(any(not term.is_excluded for term in one) for one in asked):
        raise InvalidQuery("query", "it has no word to look for")
    if sum(map(len, asked)) > TERMS_MAX:
        raise InvalidQuery("query", f"more than {TERMS_MAX} words and phrases")
    return SearchQuery(asked)
