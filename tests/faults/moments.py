"""Runs one of our processes so that it can be made to die at a named moment, or on a named document.

    python -m tests.faults.moments services.inbox

The code is the process's own; a passage through a moment looks for a file of that name in COPYDESK_TEST_MOMENTS, and
who finds it deletes it and kills itself. Two kinds of document do harm by their id: `poison…` kills whoever begins it,
`forever…` is not done before there is a file of that name.
"""

from __future__ import annotations

import functools
import importlib
import os
import runpy
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

FOLDER = "COPYDESK_TEST_MOMENTS"

POISON, FOREVER = "poison", "forever"


@dataclass(frozen=True)
class Moment:
    """Before or after a call of `target` (`module:name`) that `is_it` by its arguments."""

    name: str
    when: Literal["before", "after"]
    target: str
    is_it: Callable[..., bool] = lambda *_, **__: True


def _is_settled(path: Path, target: Path) -> bool:
    return ".work" in path.parts and ".work" not in Path(target).parts


def _becomes_claimed(path: Path, target: Path) -> bool:
    return ".work" in Path(target).parts


MOMENTS: dict[str, tuple[Moment, ...]] = {
    "api": (
        Moment("written and not accepted", "before", "copydesk.delivery.spool:SpoolWriter.accept"),
        Moment("accepted and not answered", "after", "copydesk.delivery.spool:SpoolWriter.accept"),
        Moment("offered", "after", "services.api.offering:offer"),
    ),
    "inbox": (
        Moment("before the first file of a claim moves", "after", "copydesk.delivery.claims:_write_manifest"),
        Moment("between two files of a claim", "after", "pathlib:Path.rename", _becomes_claimed),
        Moment("after the claim", "after", "copydesk.delivery.claims:claim"),
        Moment("after the offer", "after", "services.inbox.app:offer"),
        Moment("outcome written and file not moved", "before", "pathlib:Path.rename", _is_settled),
        Moment("file moved to where it ends", "after", "pathlib:Path.rename", _is_settled),
    ),
    "scheduler": (Moment("feed leased and not asked for", "before", "copydesk.delivery.due_feeds:ask_to_fetch"),),
    "fetch": (
        Moment("feed taken up and not fetched", "before", "copydesk.delivery.manners:Manners.feed"),
        Moment("spooled and not noted", "before", "copydesk.storage.feeds:record_fetch"),
        Moment("noted and not offered", "before", "copydesk.delivery.polling:offer"),
    ),
    "ingest": (
        Moment("taken and not recorded", "before", "copydesk.queue.transport:QoS.append"),
        Moment("before ADD", "before", "copydesk.delivery.judging:Judging.judged"),
        Moment("after ADD, before publishing", "after", "copydesk.delivery.judging:Judging.judged"),
        Moment("published and not acknowledged", "after", "copydesk.queue.streams:ArticleStream.publish"),
        Moment("acknowledged", "after", "copydesk.queue.transport:QoS.ack"),
    ),
    "storage": (
        Moment("written and not committed", "after", "copydesk.delivery.writer:commit"),
        Moment("committed and not acknowledged", "before", "copydesk.queue.streams:ArticleStream.settle"),
        Moment("acknowledged and not told", "before", "copydesk.queue.streams:ArticleStream.tell_closed"),
    ),
}


def mark(folder: Path, process: str, moment: Moment) -> Path:
    """The file that asks a process to die there."""
    return folder / f"{process}.{moment.name.replace(' ', '-')}"


def _watch(moment: Moment, asked: Path) -> None:
    owner, name = _find(moment.target)
    original = getattr(owner, name)

    @functools.wraps(original)
    def passing(*args: Any, **kwargs: Any) -> Any:
        is_it = moment.is_it(*args, **kwargs)
        if is_it and moment.when == "before":
            _die_if_asked(asked)
        result = original(*args, **kwargs)
        if is_it and moment.when == "after":
            _die_if_asked(asked)
        return result

    setattr(owner, name, passing)


def _find(target: str) -> tuple[Any, str]:
    module, _, path = target.partition(":")
    *owners, name = path.split(".")
    return functools.reduce(getattr, owners, importlib.import_module(module)), name


def _die_if_asked(asked: Path) -> None:
    try:
        asked.unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def _do_harm_by_id() -> None:
    from copydesk.delivery.ingestion import Ingestion

    begin = Ingestion._begin_item

    def beginning(self: Ingestion, item: Any) -> None:
        begin(self, item)
        if item.id.startswith(POISON):
            os.kill(os.getpid(), signal.SIGKILL)
        while item.id.startswith(FOREVER) and not Path(os.environ[FOLDER], item.id).exists():
            time.sleep(0.05)

    Ingestion._begin_item = beginning  # type: ignore[method-assign]  # what the documents do


def main() -> None:
    """Prepare the moments of a process, then be that process."""
    module = sys.argv[1]
    process = os.environ["COPYDESK_WORKER_NAME"]
    kind = module.rpartition(".")[2]
    for moment in MOMENTS[kind]:
        _watch(moment, mark(Path(os.environ[FOLDER]), process, moment))
    if kind == "ingest":
        _do_harm_by_id()
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
