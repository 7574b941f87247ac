"""The sender's own rules, which overrule the decision: its operator knows better than the recognisers."""

from __future__ import annotations

from copydesk.cleaning.decision import Decision
from copydesk.cleaning.normalise import normalise
from copydesk.cleaning.profiles import LineRule, Profile
from copydesk.cleaning.rulings import Ruling
from copydesk.models import PieceClass

_KINDS = {"drop": PieceClass.DROPPED, "keep": PieceClass.BODY, "rights": PieceClass.RIGHTS}


def overrule(decision: Decision, profile: Profile) -> Decision:
    """Apply the profile's line rules, the first that fits a line; without any, the decision as it is."""
    if not profile.rules:
        return decision
    rulings = [_ruled(ruling, _first_fit(ruling, profile)) for ruling in decision.rulings]
    has_body = any(ruling.kind is PieceClass.BODY for ruling in rulings)
    was_kept = any(ruling.rule.startswith("sender/keep") for ruling in rulings)
    reason = decision.reason
    if was_kept:
        reason = None
    elif not has_body and reason is None:
        reason = "the sender's rules leave no line of it"
    return Decision(rulings, decision.facts_from, reason)


def _first_fit(ruling: Ruling, profile: Profile) -> LineRule | None:
    line = normalise(ruling.block.text)
    return next((rule for rule in profile.rules if rule.fits(line)), None)


def _ruled(ruling: Ruling, rule: LineRule | None) -> Ruling:
    if rule is None:
        return ruling
    if rule.action == "replace":
        text = rule.replaced(normalise(ruling.block.text))
        kind = ruling.kind if text else PieceClass.DROPPED
        return Ruling(ruling.block, kind, "sender/replace", ruling.mark, (), text)
    return Ruling(ruling.block, _KINDS[rule.action], f"sender/{rule.action}", None, ())
