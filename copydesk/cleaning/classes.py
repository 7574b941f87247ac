"""What kinds of notice there are, how sure each makes us, and which roles a label can give a name.

This is the vocabulary that lexicons may use. Strengths: 1 counts only beside other notices, 2 at the edges of the
story, 3 anywhere on a line of its own kind, 4 anywhere. Strength 4 is reached by whole lines and by several phrases.
"""

from __future__ import annotations

from dataclasses import dataclass

from copydesk.models import PieceClass

HINT, LIKELY, SURE, CERTAIN = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class NoticeClass:
    """How a phrase of this class marks its line."""

    kind: PieceClass
    free: int
    """Strength where the phrase stands anywhere in the line."""
    tied: int
    """Strength where the phrase opens the line (`^`)."""
    whole: int
    """Strength where the phrase is the whole line (`^…$`)."""


_D = PieceClass.DROPPED

NOTICE_CLASSES: dict[str, NoticeClass] = {
    "about": NoticeClass(_D, HINT, LIKELY, SURE),  # opens a release's boilerplate, which runs on
    "advert": NoticeClass(_D, LIKELY, LIKELY, SURE),
    "bio": NoticeClass(_D, LIKELY, LIKELY, SURE),
    "caption": NoticeClass(PieceClass.CAPTION, LIKELY, SURE, SURE),
    "comments": NoticeClass(_D, LIKELY, SURE, SURE),
    "contact": NoticeClass(_D, LIKELY, LIKELY, SURE),
    "correction": NoticeClass(PieceClass.CORRECTION, LIKELY, SURE, SURE),
    "end": NoticeClass(_D, HINT, LIKELY, SURE),
    "greeting": NoticeClass(_D, HINT, LIKELY, SURE),  # how a newsletter opens and takes its leave
    "house": NoticeClass(_D, LIKELY, LIKELY, SURE),  # views, rules, privacy, risk, registration, good-faith reprint
    "house_hint": NoticeClass(_D, HINT, HINT, LIKELY),
    "note": NoticeClass(_D, LIKELY, SURE, SURE),  # machine translation, length and clarity, syndication, print, column
    "page": NoticeClass(_D, HINT, LIKELY, SURE),
    "promo": NoticeClass(_D, LIKELY, SURE, SURE),  # sign-up, subscription, plea, app, follow us
    "promo_hint": NoticeClass(_D, HINT, LIKELY, LIKELY),
    "related": NoticeClass(_D, HINT, SURE, SURE),  # a link with the title behind it
    "related_heading": NoticeClass(_D, HINT, LIKELY, SURE),  # opens a list of links
    "release": NoticeClass(_D, LIKELY, LIKELY, SURE),  # what stands on a press release outside its story
    "rights": NoticeClass(PieceClass.RIGHTS, LIKELY, SURE, SURE),
    "rights_hint": NoticeClass(PieceClass.RIGHTS, HINT, HINT, LIKELY),
    "share": NoticeClass(_D, HINT, LIKELY, SURE),
    "site": NoticeClass(_D, HINT, LIKELY, SURE),  # navigation: terms of use, contact, back to top, menu
    "slug": NoticeClass(_D, HINT, SURE, SURE),  # routing lines of agencies
    "wall": NoticeClass(_D, LIKELY, LIKELY, SURE),  # consent, log-in and subscription walls
}

CREDIT_ROLES = ("contributors", "editors", "photographers", "producers", "translators")
ROLES = ("authors", *CREDIT_ROLES, "dropped", "published", "section", "source", "updated")
