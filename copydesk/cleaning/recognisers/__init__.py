"""The recognisers, in the order in which they look at a document. Each marks lines or pieces; none decides."""

from __future__ import annotations

from collections.abc import Callable

from copydesk.cleaning.learnt import NOTHING, Learnt
from copydesk.cleaning.marks import Mark
from copydesk.cleaning.recognisers.biography import recognise_biography
from copydesk.cleaning.recognisers.captions import recognise_captions
from copydesk.cleaning.recognisers.dateline import recognise_dateline
from copydesk.cleaning.recognisers.fields import recognise_fields
from copydesk.cleaning.recognisers.glued import recognise_glued
from copydesk.cleaning.recognisers.learnt import recognise_learnt
from copydesk.cleaning.recognisers.notices import recognise_notices
from copydesk.cleaning.recognisers.signs import recognise_signs
from copydesk.cleaning.recognisers.title import recognise_title
from copydesk.cleaning.recognisers.wording import recognise_wording
from copydesk.cleaning.rules import Rules
from copydesk.cleaning.view import View

RECOGNISERS: tuple[Callable[[View, Rules], list[Mark]], ...] = (
    recognise_notices,
    recognise_signs,
    recognise_fields,
    recognise_captions,
    recognise_glued,
)


def recognise_all(view: View, rules: Rules, learnt: Learnt = NOTHING) -> list[Mark]:
    """The marks of all recognisers; the headline is looked for last, among what no other is sure of."""
    marks = [mark for recognise in RECOGNISERS for mark in recognise(view, rules)]
    marks += recognise_wording(view, marks)
    marks += recognise_learnt(view, marks, learnt)
    marks += recognise_dateline(view, marks, rules)
    marks += recognise_biography(view, marks, rules)
    return marks + recognise_title(view, marks, rules)
