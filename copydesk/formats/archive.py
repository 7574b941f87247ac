"""zip, tar, gzip, bzip2, xz and zstd of any other format, small enough to be read in one go.

What is larger is for the inbox, which cuts an archive into jobs before anybody parses it. Nothing is written anywhere.
"""

from __future__ import annotations

import io

from copydesk.errors import InputError, InputTooLarge
from copydesk.formats.members import Limits, members
from copydesk.formats.opening import Opening
from copydesk.models import Hints, Parsed

MEMBERS_MAX = 2000
"""About 10 s of cleaning, a sixth of what one item may take."""
UNPACKED_BYTES_MAX = 64 * 1024 * 1024
MEMBER_BYTES_MAX = 20 * 1024 * 1024


def matches(opening: Opening) -> bool:
    """True for first bytes of an archive."""
    return bool(opening.archive)


def parse(data: bytes, hints: Hints) -> list[Parsed]:
    """The candidates of every member, each named by its path; a member that cannot be read is one with its error.

    Raises InputTooLarge for an archive of more than these limits, InputError where nothing of it can be read.
    """
    from copydesk import formats

    limits = Limits(MEMBER_BYTES_MAX, UNPACKED_BYTES_MAX, MEMBERS_MAX)
    name = hints.filename or ""
    found: list[Parsed] = []
    for member in members(io.BytesIO(data), name, limits):
        place = member.position.removeprefix(name).lstrip("!") or member.name or "content"
        error = member.error
        candidates: list[Parsed] = []
        if error is None:
            inner = Hints(filename=member.name or None, encoding=hints.encoding, zone=hints.zone, fields=hints.fields)
            try:
                candidates = formats.parse(member.data, inner)
            except InputError as fault:
                error = fault
        elif isinstance(error, InputTooLarge) and member.position.endswith("!end"):
            raise InputTooLarge(
                hints.filename or "", f"{error.detail}, too much to be read in one go: the inbox cuts it"
            ) from error
        if error is not None:
            candidates = [Parsed("archive", (), raw=member.data, error=error)]
        found += formats.within(place, member.name or None, candidates)
        if len(found) > MEMBERS_MAX:
            raise InputTooLarge(
                hints.filename or "",
                f"more than {MEMBERS_MAX:,} documents, too many to be read in one go: the inbox cuts it",
            )
    if len(found) == 1 and found[0].error:
        raise found[0].error
    return found
