"""Reads a line as a row of fields: dates, labelled values, names, publishers. Says how much of it was understood.

The same reading serves release lines, bylines, credit lines at the end, and credits in brackets behind a paragraph.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from copydesk.cleaning.lexis import Lexis, is_word_in
from copydesk.cleaning.marks import Fact
from copydesk.cleaning.names import split_names
from copydesk.cleaning.normalise import has_digit
from copydesk.cleaning.patterns import is_unspaced
from copydesk.cleaning.rules import Rules
from copydesk.cleaning.times import Moment, find_moments
from copydesk.cleaning.view import fold_for

LONGEST_LINE = 320
"""Characters of the longest field line; the longest credit lines of agencies come to about 250."""
_BARS = re.compile(r"\s*[|｜¦;；\x1f]\s*|\s+[·•‧∙●*–—―/>»\\-]+\s+")
_HAN_NAME_LENGTH = 3
_SLASHES = re.compile(r"(?<!\d)[/／]|[/／](?!\d)")
_ARCHIVE_SLASHES = 3
_LONGEST_GUESS = 80
"""Characters of the longest part that is looked at although no label stands before it."""
_LONGEST_LABEL = 40
_LABEL_EDGE = " .,;()[]|-/*•·\"'>#@"
_TIME_ROLES = ("published", "updated")


@dataclass(slots=True)
class FieldLine:
    """What a line says when it is read as fields."""

    facts: list[Fact] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    labelled: int = 0
    """How many values carried a label."""
    guessed: int = 0
    """How many facts rest on the looks of the text alone."""

    @property
    def is_understood(self) -> bool:
        """True when every part of the line was read."""
        return not self.unknown and bool(self.facts)


@dataclass(frozen=True, slots=True)
class _Part:
    role: str | None
    has_colon: bool
    text: str


def read_fields(columns: list[str], lexis: Lexis, rules: Rules) -> FieldLine:
    """Read the columns of one line, each already normalised."""
    line = FieldLine()
    for column in columns:
        for segment in _join_labels(_split_segments(column), lexis):
            text = segment.strip(" .。")
            if text and not _read_suffix_label(text, fold_for(lexis, text), line, lexis, photographs_only=True):
                for part in _cut_at_labels(text, lexis):
                    _read_part(part, line, lexis, rules)
    return line


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
        else:
            joined.append(segment)
    return joined


def _cut_at_labels(segment: str, lexis: Lexis) -> Iterator[_Part]:
    """The segment cut before each label it holds."""
    low = fold_for(lexis, segment)
    cuts = sorted({cut[0]: cut for cut in (*_colon_labels(low, lexis), *_opening_labels(low, lexis))}.values())
    if cuts and cuts[0][0] and cuts[0][2] not in _TIME_ROLES and not _may_precede(segment[: cuts[0][0]], lexis):
        cuts = []
    place = 0
    role: str | None = None
    has_colon = False
    for start, end, next_role, next_colon in cuts:
        if start < place:
            continue
        if role or segment[place:start].strip(" ,.("):
            yield _Part(role, has_colon, segment[place:start].strip())
        place, role, has_colon = end, next_role, next_colon
    yield _Part(role, has_colon, segment[place:].strip())


def _may_precede(head: str, lexis: Lexis) -> bool:
    """What stands before the first label may be a date or punctuation; "Guest column:" is no column label."""
    core = head.strip(" ,.()[]-/")
    low = fold_for(lexis, core)
    return not core or looks_like_publisher(core, low, lexis) or bool(find_moments(fold_for(lexis, head), lexis))


def _colon_labels(low: str, lexis: Lexis) -> Iterator[tuple[int, int, str, bool]]:
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
    return ":" in low and next(_colon_labels(low, lexis), None) is not None


def has_edge_label(low: str, lexis: Lexis) -> bool:
    """True when a label without a colon opens or closes the folded line."""
    low = low.strip(" .()[]")
    openers = lexis.before.get(low[:1], ())
    closers = lexis.after.get(low[-1:], ())
    return any(low.startswith(x.text) for x in openers) or any(low.endswith(x.text) for x in closers)


def _opening_labels(low: str, lexis: Lexis) -> Iterator[tuple[int, int, str, bool]]:
    """(start, end, role, False) of labels without a colon: at the head, or later if they are long enough to be meant."""
    for start in [0, *(i + 1 for i, c in enumerate(low) if c in " /(,.")]:
        for label in lexis.before.get(low[start : start + 1], ()):
            if not low.startswith(label.text, start):
                continue
            end = start + len(label.text)
            unspaced = is_unspaced(label.text[-1])
            if end < len(low) and not unspaced and low[end].isalnum():
                continue
            if start and not unspaced and " " not in label.text and label.role not in _TIME_ROLES:
                continue
            if end < len(low) and low[end] == ":":
                break
            yield start, end, label.role, False
            break


def _read_part(part: _Part, line: FieldLine, lexis: Lexis, rules: Rules) -> None:
    if part.role is None:
        _read_unlabelled(part.text, line, lexis, rules)
        return
    text = part.text.strip(" ,.;")
    if not text:
        # "Published" with its date on the next line.
        if part.has_colon or part.role in _TIME_ROLES:
            line.facts.append(Fact("other", ""))
        else:
            line.unknown.append(part.role)
        return
    if part.role in _TIME_ROLES:
        if _read_dates(text, line, lexis, rules, part.role):
            line.labelled += 1
        else:
            line.unknown.append(text)
    elif part.role in ("source", "section"):
        if len(text) <= 80 and not _is_sentence(text):
            line.facts.append(Fact(part.role, text, rank=0 if part.has_colon else 1))
            line.labelled += 1
        else:
            line.unknown.append(text)
    elif part.role == "dropped":
        line.facts.append(Fact("dropped", text))
        line.labelled += 1
    else:
        _read_people(part, text, line, lexis, rules)


def _read_people(part: _Part, text: str, line: FieldLine, lexis: Lexis, rules: Rules) -> None:
    assert part.role is not None  # only labelled parts come here
    text, moments = _take_dates(text, lexis)
    names = split_names(_strip_dispatch(text, lexis), lexis, trusted=part.has_colon)
    known = [name for name in names if rules.publisher(name).name]
    if len(known) < len(names):
        names = [name for name in names if name not in known]
    for moment in moments:
        line.facts.append(Fact("published", "", moment))
    publisher = _publisher_in(text, lexis, rules)
    if names:
        line.facts += [Fact(part.role, name) for name in names]
        if publisher:
            line.facts.append(Fact("source", publisher, rank=3))
        line.labelled += 1
    elif publisher or _is_byline(text, lexis):
        if publisher:
            line.facts.append(Fact("source", publisher, rank=2))
        line.labelled += 1
        line.facts.append(Fact("other", text))
    else:
        line.unknown.append(text)


def _strip_dispatch(text: str, lexis: Lexis) -> str:
    """`罗一鸣 上海报道`, `周子晴／台中即時報導` without the word for the dispatch and the place before it."""
    low = fold_for(lexis, text)
    word = next((w for w in lexis.words["dispatch"] if low.endswith(w)), None)
    if word is None:
        return text
    rest = text[: -len(word)].rstrip(" /／、,")
    parts = [p for p in re.split(r"[\s/／]+", rest) if p]
    if len(parts) > 1:
        return rest[: rest.rfind(parts[-1])].rstrip(" /／")
    return rest[:_HAN_NAME_LENGTH] if len(rest) > _HAN_NAME_LENGTH and is_unspaced(rest[0]) else rest


def _publisher_in(text: str, lexis: Lexis, rules: Rules) -> str | None:
    """A publisher named beside a name: behind a comma, in brackets, or behind a bar."""
    for piece in re.split(r"[,，/／()（）|]", text):
        name = piece.strip()
        if name and rules.publisher(name).name:
            return name
    return None


def _is_byline(text: str, lexis: Lexis) -> bool:
    low = fold_for(lexis, text)
    return len(text) <= 60 and lexis.has_word("bylines", low)


def _take_dates(text: str, lexis: Lexis) -> tuple[str, list[Moment]]:
    """`text` without its dates, and the dates."""
    moments = find_moments(fold_for(lexis, text), lexis)
    for moment in reversed(moments):
        text = f"{text[: moment.start]} {text[moment.end :]}"
    return text.strip(" ,"), moments


def _read_dates(text: str, line: FieldLine, lexis: Lexis, rules: Rules, role: str) -> bool:
    rest, moments = _take_dates(text, lexis)
    if not moments:
        return False
    line.facts += [Fact(role if i == 0 else "updated", "", m) for i, m in enumerate(moments)]
    rest = _strip_time_words(rest, lexis)
    if rest:
        _read_unlabelled(rest, line, lexis, rules)
    return True


def _strip_time_words(text: str, lexis: Lexis) -> str:
    """What is left of a date's surroundings without weekdays, "at", zone words and punctuation."""
    words = re.findall(r"[^\W\d_]+|\d+|[^\w\s]+|\s+", text)
    known = lexis.dates.get("weekdays", frozenset()) | lexis.dates.get("at", frozenset()) | lexis.zones.keys()
    known |= lexis.dates.get("am", frozenset()) | lexis.dates.get("pm", frozenset())
    kept = [w for w in words if w.strip() and fold_for(lexis, w).strip(".") not in known]
    core = "".join(c for c in "".join(kept) if c.isalnum())
    if not core:
        return ""
    while words and (not words[-1].strip() or words[-1] not in kept):
        words.pop()
    while words and (not words[0].strip() or words[0] not in kept):
        words.pop(0)
    return "".join(words).strip(" ,.;:()[]-–—|/（）")


def _read_unlabelled(text: str, line: FieldLine, lexis: Lexis, rules: Rules) -> None:
    text = text.strip(" ,;")
    if not any(c.isalnum() for c in text):
        return
    low = fold_for(lexis, text)
    if has_digit(low) or "年" in low:
        rest, moments = _take_dates(text, lexis)
        if moments:
            role = "updated" if any(f.role == "published" for f in line.facts) else "published"
            line.facts += [Fact(role if i == 0 else "updated", "", m) for i, m in enumerate(moments)]
            rest = _strip_time_words(rest, lexis)
            if rest and rest != text:
                _read_unlabelled(rest, line, lexis, rules)
            return
    if len(text) > _LONGEST_GUESS:
        line.unknown.append(text)
        return
    if rules.publisher(text).name:
        line.facts.append(Fact("source", text, rank=2))
        return
    if _read_suffix_label(text, low, line, lexis):
        return
    hits = [h for h in lexis.find_hits(low) if h.name in ("page", "share", "advert", "comments", "note", "site")]
    if any(h.whole for h in hits):
        line.facts.append(Fact("dropped", text))
        return
    if _is_byline(text, lexis) and not line.unknown:
        # "Priscilla Oyelaran, Staff Writer": a name with its office, or an office alone.
        line.facts += [Fact("authors", name, rank=2) for name in split_names(text, lexis, trusted=False)]
        line.facts.append(Fact("other", text))
        return
    _guess(text, low, line, lexis)


def _read_suffix_label(text: str, low: str, line: FieldLine, lexis: Lexis, *, photographs_only: bool = False) -> bool:
    """`周子晴／攝影`, `홍길동 기자`: the label closes the segment."""
    for label in lexis.after.get(low[-1:], ()):
        if not low.endswith(label.text) or len(low) == len(label.text):
            continue
        if photographs_only and label.role != "photographers":
            continue
        head = _strip_opening_label(text[: -len(label.text)].rstrip(" /／,，"), lexis)
        if not is_unspaced(label.text[0]) and low[-len(label.text) - 1].isalnum():
            continue
        if label.role == "dropped":
            line.facts.append(Fact("dropped", text))
            line.labelled += 1
            return True
        names = split_names(head, lexis, trusted=False)
        if names:
            line.facts += [Fact(label.role, name) for name in names]
            line.labelled += 1
            return True
    return False


def _strip_opening_label(head: str, lexis: Lexis) -> str:
    """`记者张三` before `摄`: the label that says more about the person than about the role goes."""
    low = fold_for(lexis, head)
    label = next((x for x in lexis.before.get(low[:1], ()) if x.role == "authors" and low.startswith(x.text)), None)
    return head[len(label.text) :].strip() if label and is_unspaced(label.text[0]) else head


def _guess(text: str, low: str, line: FieldLine, lexis: Lexis) -> None:
    """A part that carries no label: a section, a publisher or a name by its looks, else unknown."""
    if low.strip(" .") in lexis.words["sections"]:
        line.facts.append(Fact("section", text, rank=2))
        return
    if looks_like_publisher(text, low, lexis):
        line.facts.append(Fact("source", text, rank=4))
        line.guessed += 1
    elif names := _guess_names(text, lexis):
        line.facts += [Fact("authors", name, rank=4) for name in names]
        line.guessed += 1
    else:
        line.unknown.append(text)


def _guess_names(text: str, lexis: Lexis) -> list[str]:
    """Names that stand alone: two words or more in scripts with spaces, and nothing but names."""
    names = split_names(text, lexis, trusted=False)
    letters = sum(map(str.isalpha, text))
    if not names or sum(sum(map(str.isalpha, name)) for name in names) < letters - 6:
        return []
    return (
        names
        if all(len(n) >= _HAN_NAME_LENGTH if is_unspaced(n[0]) else 2 <= len(n.split()) <= 4 for n in names)
        else []
    )


def looks_like_publisher(text: str, low: str, lexis: Lexis) -> bool:
    """True for a short line with a publisher's word in it: "Severn Sport", `香江論壇`."""
    if len(text) > 60 or _is_sentence(text) or has_digit(text) or ":" in low:
        return False
    words = lexis.words["publishers"]
    if is_unspaced(text[0]):
        return len(text) <= 16 and any(low.endswith(w) for w in words if is_unspaced(w[0]))
    parts = text.split()
    has_capitals = all(
        p[:1].isupper() or not p[:1].isalpha() or len(p) <= 3 or p[:1].lower() == p[:1].upper() for p in parts
    )
    return len(parts) <= 7 and has_capitals and any(is_word_in(w, low) for w in words)


def _is_sentence(text: str) -> bool:
    return text[-1:] in ".。!?！？" and len(text.split()) > 6
