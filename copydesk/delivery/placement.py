"""Where a document goes by its likeness to another that may be settled, not settled yet, or come to nothing. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from copydesk.models import Likened, Outcome, Verdict
from copydesk.storage.articles import CurrentArticle

Leaders = Mapping[str, str | None]
"""Document -> the article it became, None where it became none; without those that are not settled yet."""


class Place(NamedTuple):
    """Where a document went: its article and that article's cluster."""

    article_id: str
    cluster_id: str


def by_likeness(
    verdict: Verdict, own: str, likened: Likened | None, places: Leaders, articles: Mapping[str, CurrentArticle]
) -> Verdict:
    """What a document that identity calls new is by its likeness to an earlier one; `own` is the document."""
    elsewhere = places.get(own)
    if elsewhere is not None and elsewhere in articles and not articles[elsewhere].is_lifted:
        # It was given up for lost, and what was like it was judged again without it.
        return Verdict(Outcome.DUPLICATE, elsewhere, "near: the story was stored from a later copy", relation="near")
    if likened is None:
        return verdict
    target = chain_from(likened.document, places, articles)[-1]
    if target is None or target == own:
        return replace(verdict, reason=f"{verdict.reason}; what it is like came to no article")
    leader = articles.get(target)
    if leader and leader.is_lifted:
        return replace(verdict, reason=f"{verdict.reason}; what it is like was deleted, and may come again")
    if likened.relation == "contains" and not (leader and leader.deleted):
        cluster = leader.cluster_id if leader else target
        return replace(verdict, reason=likened.reason, scores=likened.scores, cluster_id=cluster)
    return Verdict(Outcome.DUPLICATE, target, likened.reason, scores=likened.scores, relation=likened.relation)


def chain_from(document: str, places: Leaders, articles: Mapping[str, CurrentArticle]) -> list[str | None]:
    """The documents from this one to where they ended: an article, one that is not settled, or None for nowhere."""
    chain: list[str | None] = [document]
    while (last := chain[-1]) is not None and last not in articles and last in places:
        chain.append(None if places[last] in chain else places[last])
    return chain


def followed_to_the_end(places: Mapping[str, Place | None]) -> dict[str, Place | None]:
    """Where each document's leader went in the end: in a batch a leader may stand behind its follower."""
    return {document: place and end_in(places, place) for document, place in places.items()}


def end_in(places: Mapping[str, Place | None], place: Place) -> Place:
    """The place that one leads to by way of others."""
    further = places.get(place.article_id)
    return place if further is None or further.article_id == place.article_id else end_in(places, further)
