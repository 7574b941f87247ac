"""Cuts a line into parts at bars and labels, each with the role that its label gives it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from copydesk.cleaning.guesses import looks_like_publisher
from copydesk.cleaning.lexis import Lexis
from copydesk.cleaning.normalise import has_digit
from copydesk.cleaning.patterns import is_unspaced
from copydesk.cleaning.times import find_moments
from copydesk.cleaning.view import fold_for

TIME_ROLES = ("published", "updated")


_BARS = re.compile(r"\s*[|｜¦;；＝\x1f]\s*|\s+[·•‧∙●*–—―/>»\\-]+\s+")
_SLASHES = re.compile(r"(?<!\d)[/／]|[/／](?!\d)")
_ARCHIVE_SLASHES = 3
_CLOCK_ALONE = re.compile(
    r"(?:[^\W\d]{1,4}\.?\s)?\d{1,2}\s?[:.hu時时시]\s?\d{2}(?::\d{2})?\s?[^\W\d]{0,5}\.?(?:\s?\(?[+-]\d.{0,5})?$", re.I
)
_LONGEST_LABEL = 40
_SHORTEST_WORD = 4
_LABEL_EDGE = " .,;()[]|-/*•·\"'>#@"


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a line and the role of the label before it, None where there is none."""

    role: str | None
    has_colon: bool
    text: str
    label: str = ""
    """The folded label."""


def cut_segments(column: str, lexis: Lexis) -> list[str]:
    """The parts of a column between bars, labels and clock times joined to what they belong to."""
    return _join_labels(_join_clocks(_split_segments(column)), lexis)


def _split_segments(column: str) -> list[str]:
    """The column cut at bars; at slashes too where there are several, as in the head lines of archives."""
    segments = [s for s in _BARS.split(column) if s and s.strip()]
    if column.count("/") + column.count("／") >= _ARCHIVE_SLASHES:
        segments = [part for segment in segments for part in _SLASHES.split(segment) if part.strip()]
    return segments


def _join_labels(segments: list[str], lexis: Lexis) -> list[str]:
    """`来源 | 石桥镇融媒体`: a label that a bar parts from its value is joined to it."""
    joined: list[str] = []
    for segment in segments:
        if joined and fold_for(lexis, joined[-1].strip()) in lexis.colon:
            joined[-1] = f"{joined[-1].strip()}: {segment}"
        elif joined and is_label(joined[-1].strip(), lexis):
            joined[-1] = f"{joined[-1].strip()} {segment}"
        else:
            joined.append(segment)
    return joined


def is_label(segment: str, lexis: Lexis) -> bool:
    """True for a label alone, `本报记者`, whose names stand behind the gap."""
    low = fold_for(lexis, segment)
    return any(label.text == low for label in lexis.opening(low))


def _join_clocks(segments: list[str]) -> list[str]:
    """`29 may 2024 - 20:15 CEST`: a clock time that a bar parts from its date is joined to it."""
    joined: list[str] = []
    for segment in segments:
        if joined and _CLOCK_ALONE.match(segment.strip()) and has_digit(joined[-1]):
            joined[-1] = f"{joined[-1].strip()} {segment.strip()}"
        else:
            joined.append(segment)
    return joined


def cut_at_labels(segment: str, lexis: Lexis) -> Iterator[Part]:
    """The segment cut before each label it holds."""
    low = fold_for(lexis, segment)
    # Of two labels at one place the one with a colon wins: "editor of the material:" is not the label "editor".
    cuts = sorted({cut[0]: cut for cut in (*_opening_labels(low, lexis), *colon_labels(low, lexis))}.values())
    if cuts and cuts[0][0] and cuts[0][2] not in TIME_ROLES and not _may_precede(segment[: cuts[0][0]], lexis):
        cuts = []
    place = 0
    role: str | None = None
    has_colon = False
    label = ""
    for start, end, next_role, next_colon in cuts:
        if start < place:
            continue
        if role or segment[place:start].strip(" ,.("):
            yield Part(role, has_colon, segment[place:start].strip(), label)
        place, role, has_colon, label = end, next_role, next_colon, low[start:end]
    yield Part(role, has_colon, segment[place:].strip(), label)


def _may_precede(head: str, lexis: Lexis) -> bool:
    """What stands before the first label may be a date or punctuation; "Guest column:" is no column label."""
    core = head.strip(" ,.()[]-/")
    low = fold_for(lexis, core)
    return not core or looks_like_publisher(core, low, lexis) or bool(find_moments(fold_for(lexis, head), lexis))


def colon_labels(low: str, lexis: Lexis) -> Iterator[tuple[int, int, str, bool]]:
    """(start, end, role, True) of each known label with a colon."""
    colon = low.find(":")
    while colon >= 0:
        head = low[max(0, colon - _LONGEST_LABEL) : colon].rstrip()
        base = max(0, colon - _LONGEST_LABEL)
        starts = [0, *(i + 1 for i, c in enumerate(head) if c in _LABEL_EDGE)]
        for start in starts:
            role = lexis.colon.get(head[start:])
            if role:
                yield base + start, colon + 1, role, True
                break
        colon = low.find(":", colon + 1)


def has_colon_label(low: str, lexis: Lexis) -> bool:
    """True when a known label with a colon stands in the folded line."""
    return ":" in low and next(colon_labels(low, lexis), None) is not None


def has_edge_label(low: str, lexis: Lexis) -> bool:
    """True when a label without a colon opens or closes the folded line."""
    low = low.strip(" .()[]")
    for label in lexis.opening(low):
        if low.startswith(label.text):
            return True
    # Loops, not `any`: nearly every paragraph asks, and nearly none has a label to try.
    return any(low.endswith(label.text) for label in lexis.after.get(low[-1:], ()))


def _has_figure(rest: str) -> bool:
    return not rest.strip() or has_digit(rest) or "年" in rest


def _opening_labels(low: str, lexis: Lexis) -> Iterator[tuple[int, int, str, bool]]:
    """(start, end, role, False) of labels without a colon: at the head, or later if long enough to be meant."""
    for start in [0, *(i + 1 for i, c in enumerate(low) if c in " /(,.")]:
        for label in lexis.opening(low, start):
            if not low.startswith(label.text, start):
                continue
            end = start + len(label.text)
            unspaced = is_unspaced(label.text[-1]) or not label.text[-1].isalnum()
            if end < len(low) and not unspaced and low[end].isalnum():
                continue
            if start and not unspaced and " " not in label.text and label.role not in TIME_ROLES:
                continue
            if low[end : end + 2].lstrip().startswith(":"):
                break
            if label.role in TIME_ROLES and len(label.text) < _SHORTEST_WORD and not _has_figure(low[end:]):
                continue  # `Le 4 juin`, but `Le Courrier du Fjord`
            yield start, end, label.role, False
            break
