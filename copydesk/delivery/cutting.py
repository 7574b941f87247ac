"""Cuts a claimed archive or list into jobs: parts of at most fifty documents, on disk beside the file they are from.

    inbox/.work/<claim>/0  ->  inbox/.work/<claim>/<claim>p<how>x<n>.job

A part is a spool file (`spool.py`), read by the ingest worker and removed when its outcome is committed. Cutting is a
function of the file, the limits and the code: after a kill it starts again and comes to the same parts, of which those
that are written or committed are passed over. Which parts may be on their way at once is the inbox's affair.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from copydesk.delivery import claims, spool
from copydesk.delivery.claims import Claim, ClaimedFile
from copydesk.delivery.disk import translated_errors
from copydesk.delivery.spool import SpoolWriter
from copydesk.errors import BinaryInput
from copydesk.formats.lists import RECORDS_MAX, list_kind
from copydesk.formats.members import Limits, Member, members
from copydesk.formats.opening import PREFIX_BYTES, archive_kind
from copydesk.models import Hints
from copydesk.queue.jobs import ITEMS_MAX, Refusal, sha256

CUT_BYTES = 64 * 1024
"""A smaller file is read in one go by an ingest worker: it holds some hundred documents at most."""

PART_BYTES = 4 * 1024 * 1024
"""Together with fifty documents about a second of work for one ingest worker."""

# Goes up when the same file comes to other parts, so that no part of an older reading is taken for one of these.
VERSION = 1

_PART = re.compile(r"^([0-9a-z]{1,40})p[0-9a-f]{4}x[0-9]{1,9}$")
_ID_CHARACTERS = 300

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """One job's share of the file."""

    id: str
    is_new: bool
    """False where it was written before, and is either still there or committed."""


def is_cut(path: Path, name: str) -> bool:
    """Whether a file is cut: an archive, or a list of documents, of some size. False where it cannot be read."""
    try:
        if path.stat().st_size <= CUT_BYTES:
            return False
        with path.open("rb") as file:
            head = file.read(PREFIX_BYTES)
        return bool(archive_kind(head) or list_kind(head, name))
    except (OSError, BinaryInput):
        return False


def is_part(ref: str) -> bool:
    """Whether a `ref` or job id names a part."""
    return _PART.match(ref.partition("/")[0]) is not None


def folder_of(inbox: Path, part_id: str) -> Path:
    """Where the part of a claim stands."""
    found = _PART.match(part_id)
    if found is None:
        raise ValueError(part_id)
    return inbox / claims.WORK / found[1]


def read(inbox: Path, ref: str, limit: int) -> bytes:
    """The body that a part's `ref` stands for. Raises as `spool.read` does."""
    return spool.read(folder_of(inbox, ref.partition("/")[0]), ref, limit)


def parts(inbox: Path, claim: Claim, limits: Limits, done: Collection[str]) -> Iterator[Part]:
    """Write the parts one by one; those in `done` or on disk are not written again.

    Raises `SpoolUnavailable`; the caller then begins anew.
    """
    file = claim.files[0]
    folder = inbox / claims.WORK / claim.id
    how = hashlib.sha256(repr((VERSION, limits)).encode()).hexdigest()[:4]
    there = {*done, *spool.ids(folder)}
    with translated_errors(folder):
        opened = (folder / str(file.number)).open("rb")
    with opened:
        found = members(opened, claims.printable(file.name), limits)
        for number, group in enumerate(for_jobs(found, lambda member: member)):
            part_id = f"{claim.id}p{how}x{number}"
            is_new = part_id not in there
            if is_new:
                _write(folder, part_id, claim, file, group)
            yield Part(part_id, is_new)


def for_jobs(found: Iterable[T], member_of: Callable[[T], Member]) -> Iterator[list[T]]:
    """What holds members, cut into runs of one job each: by fifty documents and by bytes."""
    group: list[T] = []
    records = size = 0
    for one in found:
        member = member_of(one)
        is_full = records + member.records > min(ITEMS_MAX, RECORDS_MAX) or size + len(member.data) > PART_BYTES
        if group and is_full:
            yield group
            group, records, size = [], 0, 0
        group.append(one)
        records += max(1, member.records)
        size += len(member.data)
    if group:
        yield group


def _write(folder: Path, part_id: str, claim: Claim, file: ClaimedFile, group: list[Member]) -> None:
    ids: set[str] = set()
    source = claims.source_name(claim.source)
    name = claims.printable(file.name)
    with SpoolWriter(folder, part_id) as writer:
        for member in group:
            own_id = item_id(f"{claim.id}/{file.number}", member.position.removeprefix(name), ids)
            writer.write(member.data)
            refused = Refusal(code=member.error.code, reason=str(member.error)) if member.error else None
            writer.end_item(own_id, sha256(member.data), Hints(filename=member.name or None), None, refused)
        writer.commit(source=source, kind="file", origin=name, received_at=claim.received_at)


def item_id(parent: str, position: str, taken: set[str]) -> str:
    """The place in the file as an id: two members of one name get a number, a long path its end and a hash."""
    path = re.sub(r"[\x00-\x1f\x7f]", "?", position)
    if len(path) > _ID_CHARACTERS:
        path = f"{sha256(path.encode('utf-8', 'surrogatepass'))[:16]}…{path[-_ID_CHARACTERS // 2 :]}"
    own, number = f"{parent}{path}", 1
    while own in taken:
        number += 1
        own = f"{parent}{path}-{number}"
    taken.add(own)
    return own
