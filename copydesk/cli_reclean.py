"""`copydesk reclean`: what a change of the rules changes in what is stored, and the change itself."""

from __future__ import annotations

import os
from datetime import datetime
from difflib import unified_diff
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from copydesk.cli_database import connected
from copydesk.cli_output import AsJson, print_json, progress
from copydesk.errors import UsageError
from copydesk.settings import load

if TYPE_CHECKING:  # the parsers and lexicons are loaded by the command that needs them
    from copydesk.delivery.recleaning import Recleaned
    from copydesk.delivery.recleaning_run import RecleaningRun

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def reclean(
    since: Annotated[datetime | None, typer.Option(help="Only articles first received at this time or later.")] = None,
    source: Annotated[str | None, typer.Option(help="Only of this sender.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All articles.")] = False,
    applies: Annotated[
        bool, typer.Option("--apply", help="Change the articles; without it nothing is changed.")
    ] = False,
    samples: Annotated[int, typer.Option(min=0, max=1000, help="Differences that are shown.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Clean the stored inputs again by the present rules, and show what would be different.

    With --apply the articles get it in place: no revision is made, and consumers are told (`recleaned`) where the
    content is another. Stopped or killed, the same command goes on where it was.
    """
    if not (since or source or everything):
        raise UsageError("reclean", "say which articles: --since, --source or --all")
    from copydesk.delivery.recleaning_run import RecleaningRun

    settings = load(os.environ)
    with connected() as connection:
        run = RecleaningRun(
            settings, connection, source=source, since=since.astimezone() if since else None, applies=applies
        )
        shown = _through(run, samples)
    answer = _answer(run, shown, applies=applies)
    if as_json:
        print_json(answer)
        return
    for sample in shown:
        _print_difference(sample)
    print(_told(answer))


def _through(run: RecleaningRun, samples: int) -> list[dict[str, Any]]:
    """Go through everything; returns the first differences."""
    shown: list[dict[str, Any]] = []
    done = 0
    with progress("reclean", run.left()) as tell:
        for recleaned in run.slices():
            done += len(recleaned)
            shown += [_sample(one) for one in recleaned if _is_shown(one)][: samples - len(shown)]
            tell(done, f"{run.tally.results.get('changed', 0):,} changed")
    return shown


def _is_shown(one: Recleaned) -> bool:
    return one.result in ("changed", "no_article")


def _sample(one: Recleaned) -> dict[str, Any]:
    return {
        "article": one.stored.article_id,
        "source": one.stored.source,
        "result": one.result.value,
        "fields": list(one.fields),
        "reason": one.reason,
        "diff": _difference(one),
    }


def _difference(one: Recleaned) -> list[str]:
    """The differing fields, then the body, before and after."""
    if one.document is None:
        return []
    made = one.document.model_dump(mode="json", include=set(one.stored.fields))
    before, after = (
        [*(f"{name}: {fields[name]}" for name in one.fields if name not in ("body", "pieces")), *fields["body"]]
        for fields in (one.stored.fields, made)
    )
    return list(unified_diff(before, after, "stored", "cleaned again", lineterm="", n=1))


def _print_difference(sample: dict[str, Any]) -> None:
    console = Console()
    console.print(
        f"{sample['article']}  {sample['source']}  {sample['reason'] or ', '.join(sample['fields'])}", style="bold"
    )
    for line in sample["diff"]:
        console.print(line, style=_COLOURS.get(line[:1], "dim"), markup=False, highlight=False, soft_wrap=True)
    print()


def _answer(run: RecleaningRun, shown: list[dict[str, Any]], *, applies: bool) -> dict[str, Any]:
    from copydesk.delivery.recleaning import Result

    return {
        "articles": sum(run.tally.results.values()),
        "results": {result.value: run.tally.results.get(result.value, 0) for result in Result},
        "fields": dict(sorted(run.tally.fields.items(), key=lambda field: -field[1])),
        "rules_version": run.rules_version,
        "is_applied": applies,
        "is_resumed": run.is_resumed,
        "is_index_behind": run.tally.is_index_behind,
        "samples": shown,
    }


def _told(answer: dict[str, Any]) -> str:
    words = {
        "unchanged": "as they are",
        "changed": "with another content",
        "restated": "with the same content, and other pieces, language or warnings",
        "no_article": "would be no articles, and stay as they are",
        "no_input": "without their input, and stay as they are",
        "overtaken": "revised meanwhile, by the present rules",
    }
    lines = [f"{answer['results'][name]:>9} {text}" for name, text in words.items() if answer["results"][name]]
    lines += [f"{count:>9}   {name}" for name, count in answer["fields"].items()]
    if answer["is_index_behind"]:
        lines.append("the likeness index was not told of every new text: copydesk dedupe rebuild --anew")
    if not answer["articles"]:
        lines.append("no such article")
    elif not answer["is_applied"]:
        lines.append("nothing was changed: --apply changes it")
    return "\n".join(lines)
