"""Drops the lines that belong to a heading: links to related stories, a release's boilerplate, a contact's lines."""

from __future__ import annotations

from collections.abc import Sequence

from copydesk.cleaning.rulings import Ruling
from copydesk.models import PieceClass

_HEADINGS = {
    "notices/related_heading": "list/related",
    "notices/about": "list/about",
    "notices/contact": "list/contact",
}
_OUTSIDE = (PieceClass.DROPPED, PieceClass.METADATA, PieceClass.RIGHTS)
_LONGEST_LIST = 30
_FEW_PARAGRAPHS = 4
_SHORTEST_TITLE = 4
_FEW_LINKS = 3
_FEW_NOTICES = 5
_SHORT_TEXT = 40
"""Lines up to which a text is read closely; a longer one may be a page, with teasers that are sentences."""
_LONGEST_INSIDE = 8
"""Lines of a list of links that stands between two paragraphs; more are the story's own."""
_SHARE_BEHIND_ABOUT = 0.5


def run_lists(rulings: list[Ruling], tail: int, *, on_page: bool, only_related: bool) -> None:
    """Drop what belongs to a heading: links to related stories, a release's boilerplate, a contact's lines.

    `only_related` where markup has already told what is no story.
    """
    run = ""
    members: list[Ruling] = []
    # Under a few paragraphs so many lines are the story: goods with their prices.
    spare_long = not on_page and sum(r.block.is_prose for r in rulings) <= _FEW_PARAGRAPHS
    is_site = sum(ruling.kind in _OUTSIDE for ruling in rulings) > _FEW_NOTICES
    is_short = not on_page and len(rulings) <= _SHORT_TEXT
    whole = behind = sum(r.block.weight for r in rulings if r.block.is_prose)
    for place, ruling in enumerate(rulings):
        opened = _HEADINGS.get(ruling.rule)
        if opened == "list/related" and is_short and (ruling.block.is_sentence or _holds_its_link(ruling.block.low)):
            opened = None
        if only_related and opened != "list/related":
            opened = None
        behind -= ruling.block.weight if ruling.block.is_prose else 0
        if opened and opened != "list/related" and place < tail and behind > _SHARE_BEHIND_ABOUT * whole:
            opened = None  # most of the story is still to come
        if opened == "list/about" and not any(r.kind in _OUTSIDE and r is not ruling for r in rulings):
            opened = None  # nothing else tells that this is more than a story
        if opened and (opened != "list/contact" or not run):
            _drop_list(members, run, spare_long=spare_long)
            run, members = opened, []
        elif run and _belongs_to_list(ruling):
            is_over = place < tail and run != "list/about" and _is_story_again(ruling, members, is_short=is_short)
            if len(members) >= _LONGEST_LIST or is_over or (run == "list/contact" and ruling.block.is_prose):
                is_inside = place < tail and not on_page and not is_site
                if not (is_inside and len(members) > _LONGEST_INSIDE):
                    _drop_list(members, run, spare_long=spare_long)
                run, members = "", []
            else:
                members.append(ruling)
        elif ruling.kind is PieceClass.TITLE or (run != "list/related" and ruling.kind is not PieceClass.DROPPED):
            _drop_list(members, run, spare_long=spare_long)
            run, members = "", []
    _drop_list(members, run, spare_long=spare_long)


def _drop_list(members: Sequence[Ruling], run: str, *, spare_long: bool) -> None:
    """Drop the lines of a list; a long one that `spare_long` speaks for is the story's own."""
    if run == "list/related" and spare_long and len(members) >= _LONGEST_LIST:
        return
    for ruling in members:
        ruling.kind, ruling.rule, ruling.mark = PieceClass.DROPPED, run, None


def _holds_its_link(low: str) -> bool:
    """`Read also: Ferry gets a new bell`: the title stands behind the label, not below it."""
    return len(low.partition(":")[2].strip()) > _SHORTEST_TITLE


def _is_story_again(ruling: Ruling, members: Sequence[Ruling], *, is_short: bool) -> bool:
    """A paragraph or, in a text of few lines, a sentence behind a few links that are none."""
    if ruling.block.is_prose:
        return True
    return (
        is_short
        and len(members) <= _FEW_LINKS
        and ruling.block.is_sentence
        and not any(m.block.is_sentence for m in members)
    )


def _belongs_to_list(ruling: Ruling) -> bool:
    """Unmarked lines do, and dates and names by their looks; credits with a label do not."""
    if ruling.kind is PieceClass.BODY:
        return True
    if ruling.kind is not PieceClass.METADATA or ruling.mark is None:
        return False
    people = [f for f in ruling.mark.facts if f.role not in ("published", "updated", "other", "dropped")]
    return all(fact.rank >= 2 for fact in people)
