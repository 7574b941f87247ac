"""What a sender's word that an item is not to be shown means for what is stored and for what comes later. Pure.

A final order (a kill) holds for good, whatever version comes; the other kind (withheld) until a higher version, or,
where the sender gives no numbers, until what is received later. Orders stand for names that nothing is stored under
as well, so the order in which an item and its kill arrive does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from copydesk.dedupe.identity import compare_versions
from copydesk.delivery import records
from copydesk.models import IdentityKey, Outcome, Verdict, Withdrawal
from copydesk.queue.entries import ArticleEntry, OutcomeEntry
from copydesk.storage.articles import CurrentArticle
from copydesk.storage.identities import KeyState
from copydesk.storage.receipts import Receipt
from copydesk.storage.rows import Row
from copydesk.storage.withdrawals import Order

Orders = Mapping[IdentityKey, Order]


@dataclass(slots=True)
class Withdrawn:
    """What the orders of one batch change."""

    orders: dict[IdentityKey, Order] = field(default_factory=dict)
    marks: list[Row] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)


def wanted_keys(entries: Iterable[OutcomeEntry]) -> dict[IdentityKey, KeyState]:
    """The names in the orders of a batch, to be locked; nothing comes to hold those that are free."""
    nobody = KeyState("00000000-0000-8000-8000-000000000000", owned=False, item_sha256="")
    return {key: nobody for entry in entries if entry.withdrawal for key in entry.withdrawal.keys}


def add_orders(stored: Orders, entries: Iterable[OutcomeEntry]) -> dict[IdentityKey, Order]:
    """The orders that stand once those of the batch are heard."""
    standing = dict(stored)
    for entry in entries:
        if entry.withdrawal is None:
            continue
        new = _order(entry.withdrawal, entry.job.received_at)
        for key in entry.withdrawal.keys:
            before = standing.get(key)
            if before is None or _is_stronger(new, before):
                standing[key] = new
    return standing


def standing_against(entry: ArticleEntry, orders: Orders) -> Order | None:
    """The order that keeps this version from being stored."""
    for key in entry.document.keys:
        order = orders.get(key)
        if order and _covers(order, entry.document.version, entry.job.received_at):
            return order
    return None


def held_back(entry: ArticleEntry, order: Order, keys: Mapping[IdentityKey, KeyState]) -> Verdict:
    """The verdict on an article that an order stands against."""
    target = next((keys[key].article_id for key in entry.document.keys if key.kind == "guid" and key in keys), None)
    return Verdict(Outcome.WITHDRAWN, target, f"guid: {order.reason}")


def overrule(
    verdict: Verdict, entry: ArticleEntry, orders: Orders, articles: Mapping[str, CurrentArticle]
) -> tuple[Verdict, bool]:
    """The verdict where it concerns a withdrawn article, and whether that is to be shown again.

    A version that ends an order brings its article back. Any other text that belongs to a withdrawn article, under
    another name too, is withdrawn with it.
    """
    article = articles.get(verdict.article_id or "")
    if article is None or not article.is_withdrawn or verdict.outcome is Outcome.REJECTED:
        return verdict, False
    if any(key in orders for key in entry.document.keys) and verdict.outcome is not Outcome.DUPLICATE:
        reason = f"version {entry.document.version or 'without a number'} is usable again"
        return Verdict(Outcome.REVISED, article.article_id, f"guid: {reason}", is_current=True), True
    if verdict.outcome is Outcome.UNCHANGED:
        return verdict, False
    return Verdict(Outcome.WITHDRAWN, article.article_id, f"its article is withdrawn ({verdict.reason})"), False


def plan_orders(
    entries: Iterable[OutcomeEntry],
    stored: Orders,
    standing: Orders,
    held: Mapping[IdentityKey, KeyState],
    articles: Mapping[str, CurrentArticle],
) -> Withdrawn:
    """The receipts of the orders themselves, the articles they take out of sight, and the orders to keep."""
    plan = Withdrawn(orders={key: order for key, order in standing.items() if stored.get(key) != order})
    marked: set[str] = set()
    for entry in entries:
        if entry.withdrawal is None:
            continue
        target = _target(entry.withdrawal, _order(entry.withdrawal, entry.job.received_at), held, articles)
        reason = entry.reason
        if target is None:
            reason = f"{reason}; nothing is stored under its name, or only a newer version"
        elif target not in marked and not articles[target].is_withdrawn and articles[target].deleted is None:
            marked.add(target)
            plan.marks.append({"article_id": target, "reason": entry.reason})
            plan.events.append(records.event_of(entry, Outcome.WITHDRAWN, target))
        plan.receipts.append(
            Receipt(
                entry.job.id,
                entry.item_id,
                entry.parent_id,
                entry.job.source,
                Outcome.WITHDRAWN,
                reason,
                article_id=target,
            )
        )
    return plan


def _target(
    withdrawal: Withdrawal, order: Order, held: Mapping[IdentityKey, KeyState], articles: Mapping[str, CurrentArticle]
) -> str | None:
    for key in withdrawal.keys:
        article = articles.get(held[key].article_id) if key in held else None
        if article and held[key].owned and _covers(order, article.version, article.received_at):
            return article.article_id
    return None


def _order(withdrawal: Withdrawal, received_at: datetime) -> Order:
    return Order(withdrawal.is_final, withdrawal.version, withdrawal.reason, received_at)


def _covers(order: Order, version: str | None, received_at: datetime) -> bool:
    """True where the order speaks of this version too."""
    if order.is_final:
        return True
    difference = compare_versions(version, order.version)
    if difference or (version and version == order.version):
        return difference <= 0
    return received_at <= order.received_at


def _is_stronger(new: Order, before: Order) -> bool:
    if new.is_final != before.is_final:
        return new.is_final
    difference = compare_versions(new.version, before.version)
    return difference > 0 or (difference == 0 and not new.is_final and new.received_at > before.received_at)
