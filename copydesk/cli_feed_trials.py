"""What `copydesk feeds test` runs and shows: what would come in of a feed. Nothing is stored."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console

from copydesk.cli_output import table_of
from copydesk.cli_plain import say
from copydesk.settings import Settings

if TYPE_CHECKING:
    from copydesk.delivery.feed_trials import Trial


def run(url: str, settings: Settings, *, source: str) -> Trial:
    """Try a feed with the client and the rules of the settings. Raises `FetchError`."""
    from copydesk.cleaning import load_rules
    from copydesk.delivery import feed_trials
    from copydesk.delivery.manners import client_of

    rules = load_rules([settings.rules_dir] if settings.rules_dir else [])
    return feed_trials.try_feed(url, client_of(settings).fetch, rules, source=source, now=datetime.now(UTC))


def as_json(trial: Trial, items: int) -> dict[str, Any]:
    """The feed, and its first items as the documents that they would be."""
    return asdict(replace(trial, items=())) | {
        "items": [
            {
                "document": item.document and item.document.model_dump(mode="json", exclude={"keys", "pieces"}),
                "reason": item.reason,
                "is_short": item.is_short,
            }
            for item in trial.items[:items]
        ]
    }


def show(trial: Trial, items: int) -> None:
    """A line about the feed, then a row an item."""
    articles = [item for item in trial.items if item.document]
    short = sum(item.is_short for item in trial.items)
    asked = f", asks to be read every {trial.asked_s / 60:.0f} min at most" if trial.asked_s else ""
    say(f"{trial.url}: {trial.format}, {trial.size:,} bytes, {len(trial.items)} items{asked}")
    say(
        f"{len(articles)} would be articles, {short} seem to carry a summary only; "
        + ("the server tells what is new" if trial.has_validators else "the server does not tell what is new")
    )
    if trial.moved_to:
        say(f"it has moved for good to {trial.moved_to}")
    table = table_of("published", "title", "letters", "by", "warnings")
    for item in trial.items[:items]:
        document = item.document
        if document is None:
            table.add_row("–", f"no article: {item.reason}", "", "", "")
            continue
        letters = str(sum(len(paragraph) for paragraph in document.body)) + (" (short)" if item.is_short else "")
        by, warnings = ", ".join(document.authors), ", ".join(document.warnings)
        table.add_row(document.published_at or "–", document.title or "–", letters, by, warnings)
    if items:
        Console().print(table)
