"""Reads a line as a row of fields: dates, labelled values, names, publishers. Says how much of it was understood.

The same reading serves release lines, bylines, credit lines at the end, and credits in brackets behind a paragraph.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from copydesk.cleaning.beside import FieldLine, find_beside, is_paper, names_an_office, read_with_agency, settle_pair
from copydesk.cleaning.fieldcuts import TIME_ROLES, Part, cut_at_labels, cut_segments, has_edge_label
from copydesk.cleaning.guesses import (
    HAN_NAME_LENGTH,
    guess_names,
    is_clause,
    is_papers_name,
    is_sentence,
    looks_like_publisher,
    rank_of_guess,
)
from copydesk.cleaning.lexis import Lexis
from copydesk.cleaning.marks import Fact
from copydesk.cleaning.names import is_thai, split_names
from copydesk.cleaning.normalise import has_digit
from copydesk.cleaning.patterns import is_hangul, is_unspaced
from copydesk.cleaning.rules import Rules
from copydesk.cleaning.times import Moment, find_clock, find_moments
from copydesk.cleaning.view import fold_for

LONGEST_LINE = 320
"""Characters of the longest field line; the longest credit lines of agencies come to about 250."""
_FULL_STOPS = ".。।۔"
_MOST_PIECES = 6
_SPACED_NUMBERS = re.compile(r"(第)\s?(\d+)\s?(版)")
_MOST_WORDS = 9
_NOTICE_SHARE = 0.4
_LONGEST_COUNT = 40
"""Characters of `1,204 shares` or `3 min read`; a paragraph may end in such a word too."""
_LONGEST_GUESS = 80
"""Characters of the longest part that is looked at although no label stands before it."""


@lru_cache(maxsize=4096)
def read_fields(columns: tuple[str, ...], lexis: Lexis, rules: Rules) -> FieldLine:
    """Read the columns of one line, each already normalised. The answer is kept and shared: do not change it."""
    line = FieldLine()
    for column in columns:
        for segment in cut_segments(column, lexis):
            if is_sentence(segment.strip()) and not has_edge_label(fold_for(lexis, segment.strip()), lexis):
                line.unknown.append(segment)
                continue
            text = strip_stop(segment)
            if text and not _read_suffix_label(text, fold_for(lexis, text), line, lexis, photographs_only=True):
                for part in cut_at_labels(text, lexis):
                    _read_part(part, line, lexis, rules)
                if segment.rstrip()[-1] in _FULL_STOPS and text[-1].lower() == text[-1].upper():
                    # Nothing in a script without capitals tells three words of a sentence from a name.
                    line.forget_guesses(("source",) if is_unspaced(text[-1]) else ("source", "authors"))
    settle_pair(line)
    return line


def strip_stop(text: str) -> str:
    """`text` without punctuation at its ends; a stop that belongs to `S.A.` or `sp. z o.o.` stays."""
    core = text.strip(" ,;،؛")
    last = core.rsplit(maxsplit=1)[-1] if core else ""
    if last.endswith(".") and "." in last[:-1]:
        return core.lstrip(" .。")
    return core.strip(" .。,;।۔")


def _read_part(part: Part, line: FieldLine, lexis: Lexis, rules: Rules) -> None:
    if part.role is None:
        _read_unlabelled(part.text, line, lexis, rules)
        return
    text = strip_stop(part.text)
    if not text:
        # "Published" with its date on the next line.
        if part.has_colon or part.role in TIME_ROLES:
            line.facts.append(Fact("other", ""))
        else:
            line.unknown.append(part.role)
        return
    if part.role in TIME_ROLES:
        if _read_dates(text, line, lexis, rules, part.role) or _read_later_clock(text, line, lexis, part.role):
            line.labelled += 1
        else:
            line.unknown.append(text)
    elif part.role in ("source", "section"):
        _read_source(part, text, line, lexis, rules)
    elif part.role == "dropped":
        line.facts.append(Fact("dropped", text))
        line.labelled += 1
    else:
        _read_people(part, text, line, lexis, rules)


def _read_source(part: Part, text: str, line: FieldLine, lexis: Lexis, rules: Rules) -> None:
    """The name behind `Source:` or `Section:`; "Originally published:" names a paper or a day."""
    if part.role == "source" and find_moments(fold_for(lexis, text), lexis):
        line.labelled += _read_dates(text, line, lexis, rules, "published")
        return
    # "source must be named" is no label
    is_lower = not part.has_colon and not any(
        word[0] != word[0].lower() or _has_no_case(word) for word in text.split()[:2]
    )
    if len(text) <= 80 and not is_sentence(text) and not is_clause(text) and not is_lower:
        line.facts.append(Fact(part.role or "source", text, rank=0 if part.has_colon else 1))
        line.labelled += 1
    else:
        line.unknown.append(text)


def _has_no_case(word: str) -> bool:
    return word.lower() == word.upper()


def _read_people(part: Part, text: str, line: FieldLine, lexis: Lexis, rules: Rules) -> None:
    role = part.role or "authors"
    text, moments = _take_dates(text, lexis)
    names = split_names(_strip_dispatch(text, lexis), lexis, trusted=part.has_colon)
    known = [name for name in names if rules.publisher(name).name or (role != "authors" and is_paper(name, lexis))]
    if len(known) < len(names):
        names = [name for name in names if name not in known]
    for moment in moments:
        line.facts.append(Fact("published", "", moment))
    publisher = _publisher_in(text, rules)
    beside = find_beside(text, lexis) if role == "authors" and not publisher else None
    if beside:
        names = [name for name in names if name != beside] or names
    line.facts += [Fact(role, name) for name in names]
    if beside:
        line.facts.append(Fact("source" if is_paper(beside, lexis) else "beside", beside, rank=3))
    if names:
        if role == "authors" and part.label and lexis.picture_words.stands_in(part.label):
            line.facts += [Fact("photographers", name) for name in names]  # "Text and photo: ..."
        if publisher:
            line.facts.append(Fact("source", publisher, rank=3))
        line.labelled += 1
    elif publisher or names_an_office(text, lexis):
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
    return rest[:HAN_NAME_LENGTH] if len(rest) > HAN_NAME_LENGTH and is_unspaced(rest[0]) else rest


def _publisher_in(text: str, rules: Rules) -> str | None:
    """A publisher named beside a name: behind a comma, in brackets, or behind a bar."""
    for piece in re.split(r"[,，/／()（）|]", text):
        name = piece.strip()
        if name and rules.publisher(name).name:
            return name
    return None


def _take_dates(text: str, lexis: Lexis) -> tuple[str, list[Moment]]:
    """`text` without its dates, and the dates."""
    moments = find_moments(fold_for(lexis, text), lexis)
    for moment in reversed(moments):
        text = f"{text[: moment.start]} {text[moment.end :]}"
    return text.strip(" ,،"), moments


def _read_dates(text: str, line: FieldLine, lexis: Lexis, rules: Rules, role: str) -> bool:
    rest, moments = _take_dates(text, lexis)
    if not moments:
        return False
    line.facts += [Fact(role if i == 0 else "updated", "", m) for i, m in enumerate(moments)]
    rest = _strip_time_words(rest, lexis)
    if rest:
        _read_unlabelled(rest, line, lexis, rules)
    return True


def _read_later_clock(text: str, line: FieldLine, lexis: Lexis, role: str) -> bool:
    """`Published 4 June at 17:42, updated at 18:20`: the second clock time is of the same day."""
    earlier = next((fact.moment for fact in line.facts if fact.moment), None)
    clock = find_clock(fold_for(lexis, text), lexis)
    if earlier is None or clock is None:
        return False
    line.facts.append(Fact(role, "", replace(earlier, clock=clock.clock, zone=clock.zone or earlier.zone)))
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


def _read_unlabelled(text: str, line: FieldLine, lexis: Lexis, rules: Rules) -> None:  # noqa: PLR0911  # one reading a line
    text = text.strip(" ,;،")
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
    if rules.publisher(text).name:
        line.facts.append(Fact("source", text, rank=2))
        return
    if _read_suffix_label(text, low, line, lexis):
        return
    if len(text) > _LONGEST_GUESS or text.count(" ") >= _MOST_WORDS:
        line.unknown.append(text)
        return
    if _read_name_and_publisher(text, line, lexis, rules) or read_with_agency(text, low, line, lexis, rules):
        return
    pieces = _split_unspaced(text)
    if len(pieces) > 1:
        for piece in pieces:
            _read_unlabelled(piece, line, lexis, rules)
        return
    hits = [h for h in lexis.find_hits(low) if h.name in ("page", "share", "advert", "comments", "note", "site")]
    if any(h.whole for h in hits):
        line.facts.append(Fact("dropped", text))
        return
    if names_an_office(text, lexis) and not line.unknown:
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
            if len(text) > _LONGEST_COUNT:
                continue
            line.facts.append(Fact("dropped", text))
            line.labelled += 1
            return True
        paper, _, rest = head.partition(" ")
        if rest and is_hangul(rest[0]) and is_paper(paper, lexis):
            line.facts.append(Fact("source", paper, rank=2))
            head = rest
        names = split_names(head, lexis, trusted=False)
        if names:
            line.facts += [Fact(label.role, name) for name in names]
            line.labelled += 1
            return True
    return False


def _read_name_and_publisher(text: str, line: FieldLine, lexis: Lexis, rules: Rules) -> bool:
    """`Geneviève Lachance, La Presse Canadienne`: a name, a comma, a known publisher."""
    if text[-1] in ")）" and (bracket := max(text.rfind("("), text.rfind("（"))) > 0:
        # `Lê Thu Hằng (TTXVN)`
        name, comma, rest = text[:bracket], "(", text[bracket + 1 : -1]
        if not rules.publisher(rest).name or not split_names(name, lexis, trusted=False):
            return False
    else:
        name, comma, rest = text.replace("，", ",").replace("،", ",").partition(",")
    if not comma or not rules.publisher(rest).name:
        return _read_pair(text, line, lexis)
    names = split_names(name, lexis, trusted=False)
    line.facts += [Fact("authors", found, rank=2) for found in names]
    line.facts.append(Fact("source", rest.strip(), rank=2))
    return True


def _read_pair(text: str, line: FieldLine, lexis: Lexis) -> bool:
    """`Leandro Iturri, Cuadernos del Plata`: a name and, behind the comma, what reads like a paper and like no name."""
    beside = find_beside(text, lexis)
    if beside is None or not (is_paper(beside, lexis) or is_papers_name(beside)):
        return False
    line.facts.append(
        Fact("authors", split_names(re.split(r"[,，،/]", text, maxsplit=1)[0], lexis, trusted=False)[0], rank=2)
    )
    line.facts.append(Fact("source", beside, rank=3))
    return True


def _split_unspaced(text: str) -> list[str]:
    """`聯合報 03版 地方`, `《人民日报》（第 13 版）`: in scripts without spaces a space or bracket parts fields."""
    if not is_unspaced(text.lstrip("《(（「")[:1] or " ") or is_thai(text[0]):
        return []
    pieces = [p for p in re.split(r"[《》()（）]", text) if p.strip()]
    if len(pieces) == 1 and not has_digit(text):
        pieces = text.split()
    elif len(pieces) == 1:
        pieces = _SPACED_NUMBERS.sub(r"\1\2\3", text).split()
    return pieces if len(pieces) <= _MOST_PIECES and pieces != [text] else []


def _strip_opening_label(head: str, lexis: Lexis) -> str:
    """`记者张三` before `摄`: the label that says more about the person than about the role goes."""
    low = fold_for(lexis, head)
    label = next((x for x in lexis.opening(low) if x.role == "authors" and low.startswith(x.text)), None)
    return head[len(label.text) :].strip() if label and is_unspaced(label.text[0]) else head


def _guess(text: str, low: str, line: FieldLine, lexis: Lexis) -> None:
    """A part that carries no label: a section, a publisher or a name by its looks, else unknown."""
    if low.strip(" .") in lexis.words["sections"]:
        line.facts.append(Fact("section", text, rank=2))
        return
    is_notice = text.count(" ") > 2 and lexis.vocabulary.measure(low)[1] >= _NOTICE_SHARE  # `Most Viewed in Sport`
    if looks_like_publisher(text, low, lexis) and not is_notice:
        line.facts.append(Fact("source", text, rank=4))
        line.guessed += 1
    elif names := guess_names(text, lexis):
        line.facts += [Fact("authors", name, rank=rank_of_guess(name, lexis)) for name in names]
        line.guessed += 1
    else:
        if is_papers_name(text):
            line.facts.append(Fact("beside", text, rank=4))
        line.unknown.append(text)
