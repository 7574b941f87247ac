"""Finds the publisher among what a text says of itself: labels, names beside dates and bylines, the rights' holder.

What a recogniser could not tell apart, `Jane Roe, Northwind` being a name and a place or a paper, comes as a fact of
the role `beside` and is settled here, where the whole document is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from copydesk.cleaning.guesses import is_papers_name
from copydesk.cleaning.marks import Fact
from copydesk.cleaning.mastheads import LEAD, find_masthead
from copydesk.cleaning.normalise import has_digit
from copydesk.cleaning.patterns import is_unspaced
from copydesk.cleaning.rules import Rules
from copydesk.cleaning.rulings import Ruling
from copydesk.cleaning.view import Block, fold_for
from copydesk.models import PieceClass

_CHROME = (PieceClass.DROPPED, PieceClass.RIGHTS)
_REPEATING = (PieceClass.CAPTION, PieceClass.DROPPED, PieceClass.RIGHTS)
_OF_PEOPLE = ("biography/", "notices/bio", "signs/address", "signs/mail")
_SOFT, _GUESS = 2, 4
"""Ranks from which a fact has no label with it, and from which it rests on looks alone."""
_LONGEST, _MOST_WORDS = 50, 6
_LONGEST_UNSPACED = 12
_COPYRIGHT = re.compile(r"©|\(c\)|(?<!\w)copyright(?!\w)")
# With those of the Buddhist era: © พ.ศ. 2567.
_YEARS = re.compile(
    r"(?<!\d)[(\[]?(?:พ\.ศ\.\s?)?(?:(?:19|20|2[4-6])\d\d\s?[-–/,]\s?)?(?:19|20|2[4-6])\d\d[)\]]?(?!\d)\s?[年년]?"
)
_ENDS = re.compile(r"\s?\((?=www|http)|[।۔]|\. |[,،] | - | – | — | \| |; |/ ")
_EDGES = " .,;:-–—|()[]\"'"


def find_publisher(facts: Sequence[Fact], rulings: Sequence[Ruling], texts: dict[int, str], rules: Rules) -> str | None:
    """The best-ranked fact, else a name beside a date or author, else the holder in the rights statement."""
    ranked = sorted((f for f in facts if f.role == "source" and f.value), key=lambda f: f.rank)
    ranked = [f for f in ranked if not rules.publisher(f.value).carrier]
    if ranked:
        best = ranked[0].value.strip(" ,()[]")
        return best if _ends_abbreviated(best) else best.strip(" .,()[]") or None
    return (
        next((f.value for f in facts if f.role == "authors" and rules.publisher(f.value).name), None)
        or _find_repeated(facts, rulings)
        or _find_beside_date(facts, rulings)
        or _find_in_rights(rulings, texts, rules)
        or _find_issuer(rulings)
        or find_masthead(rulings, [f.value for f in facts if f.role in ("authors", "photographers", "editors")])
        or next((f.value for f in facts if f.role == "beside" and is_papers_name(f.value)), None)
    )


def names_of_people(facts: Sequence[Fact], publisher: str | None, rules: Rules) -> tuple[str, ...]:
    """The authors, labelled ones before guesses; agencies and the publisher itself are none.

    A full name beside another, `Jane Roe, John Poe`, is an author too where it was not found to be the publisher.
    """
    found = [f for f in facts if f.role == "authors" or (f.role == "beside" and f.rank < _GUESS)]
    found = [f for f in found if f.role == "authors" or not is_papers_name(f.value)]
    found = [f for f in found if f.value and (f.rank < _SOFT or f.value != publisher)]
    found = [f for f in found if not rules.publisher(f.value).name]
    best = [f for f in found if f.rank < _GUESS] or [f for f in found if f.rank == _GUESS] or found
    return tuple(dict.fromkeys(f.value for f in best if f.role == "authors" or len(f.value.split()) > 1))


def _ends_abbreviated(name: str) -> bool:
    """True for `Sp. z o.o.`, `S.A.`: the last word holds another stop, so the last one belongs to it."""
    last = next(reversed(name.split()), "")
    return last.endswith(".") and "." in last[:-1]


def _find_repeated(facts: Sequence[Fact], rulings: Sequence[Ruling]) -> str | None:
    """A name beside an author or date that one of the site's own lines repeats: `Follow Northwind on Facebook`."""
    chrome = [r.block.text for r in rulings if r.kind in _REPEATING and not r.rule.startswith(_OF_PEOPLE)]
    chrome += [fact.value for fact in facts if fact.role == "dateline"]
    # Of two guesses one may be the paper, of a single one nobody can tell.
    has_author = sum(f.role == "authors" for f in facts) > 1
    labelled = {f.value for f in facts if f.role in ("authors", "photographers") and f.rank < _GUESS}
    for fact in facts:
        is_guess = fact.role == "authors" and fact.rank >= _GUESS and has_author and fact.value not in labelled
        is_candidate = fact.role == "beside" or is_guess
        if is_candidate and len(fact.value) > 2 and any(_holds_name(text, fact.value) for text in chrome):
            return fact.value
    return None


def _holds_name(text: str, name: str) -> bool:
    return (
        text != name
        and re.search(rf"(?<!\w){re.escape(name)}(?!\w)" if name.isascii() else re.escape(name), text, re.I) is not None
    )


def _find_beside_date(facts: Sequence[Fact], rulings: Sequence[Ruling]) -> str | None:
    """A name of several words beside the date is the publisher's; one like a person's, where another line has one."""
    has_author = any(f.role == "authors" and f.rank < _GUESS for f in facts)
    for ruling in rulings:
        if not ruling.mark or not any(f.moment for f in ruling.mark.facts):
            continue
        others = [f for f in facts if f.role == "authors" and f not in ruling.mark.facts]
        has_other = bool(others)
        # A paper's own name stands above the name that signs: `Harbour Note, 6 June 2024`, then `Tilda Marsh`.
        is_above = has_other and all(_place_of(f, rulings) > ruling.block.index for f in others)
        for fact in ruling.mark.facts:
            is_guess = fact.role == "authors" and fact.rank >= _GUESS
            if is_guess and (has_author or is_above or (has_other and is_papers_name(fact.value))):
                return fact.value
            if fact.role == "beside" and is_papers_name(fact.value):
                return fact.value
    return None


def _place_of(fact: Fact, rulings: Sequence[Ruling]) -> int:
    return next((r.block.index for r in rulings if r.mark and fact in r.mark.facts), 0)


def _find_in_rights(rulings: Iterable[Ruling], texts: dict[int, str], rules: Rules) -> str | None:
    for ruling in rulings:
        if ruling.kind is PieceClass.RIGHTS:
            holder = _find_holder(texts[ruling.block.index], ruling.block)
            if holder:
                return _shorten_holder(holder, ruling, rulings, rules)
    return None


def _find_holder(text: str, block: Block) -> str | None:
    """The name beside © and its year: `© 2024 Legal Affairs Review. All rights reserved.`

    Phrases of the lexicon are no part of it, so the same reading serves `저작권자 © 미디어비평 무단전재 금지`.
    """
    text = text.replace("ⓒ", "©").replace("Ⓒ", "©")
    low = fold_for(block.lexis, text)
    sign = _COPYRIGHT.search(low)
    if sign is None:
        return _find_opening_holder(text, low, block)
    behind = _clip(text[sign.end() :], block)
    return behind or _clip(text[: sign.start()], block)


def _clip(text: str, block: Block) -> str | None:
    """The name that opens `text`, behind a year and before the first phrase of a notice."""
    text = text.lstrip("© \t")
    low = fold_for(block.lexis, text)
    if low.startswith("(c)"):
        text, low = text[3:], low[3:]
    masked = _YEARS.sub(lambda m: " " * len(m.group()), text)
    for hit in block.lexis.find_hits(low):
        masked = masked[: hit.start] + "\x00" * (hit.end - hit.start) + masked[hit.end :]
    for place, piece in enumerate(masked.split("\x00")):
        words = piece.split()
        if place and len(words) > 1 and words[0][0] in LEAD:
            words[0] = words[0][1:]  # "all rights are reserved to the paper"
        while words and (
            words[0].lower().strip(",") in ("by", "copyright", "-", "–", "©") or not words[0].strip(_EDGES)
        ):
            words.pop(0)
        name = _ENDS.split(" ".join(words))[0].rstrip(" .,;:|-–—").strip(" :|\"'")
        if _can_hold(name) and fold_for(block.lexis, name) not in block.lexis.words["not_names"]:
            return name
    return None


def _can_hold(name: str) -> bool:
    if not 2 <= len(name) <= _LONGEST or len(name.split()) > _MOST_WORDS or name[0].islower():
        return False
    return any(map(str.isalpha, name)) and not (is_unspaced(name[0]) and len(name) > _LONGEST_UNSPACED)


def _find_opening_holder(text: str, low: str, block: Block) -> str | None:
    """`出版往来 掲載の記事の無断転載を禁じます`: in an unspaced script the name that a space parts from its notice."""
    name, space, _ = text.partition(" ")
    if not space or not is_unspaced(text[0]) or len(name) > _LONGEST_UNSPACED or len(name) < 2:
        return None
    is_phrase = any(hit.start < len(name) for hit in block.lexis.find_hits(low))
    return None if is_phrase or has_digit(name) or name[-1] in "。、，：:" else name


def _shorten_holder(holder: str, ruling: Ruling, rulings: Iterable[Ruling], rules: Rules) -> str:
    """The publisher in a company's name: `Northwind Media Group` where the site's lines say `Northwind`.

    Without the form of its company where that is a known publisher: `The New York Times Company`.
    """
    words = holder.split()
    forms = ruling.block.lexis.words["company_forms"]
    while len(words) > 1 and fold_for(ruling.block.lexis, words[-1]).strip(".,") in forms:
        words.pop()
    while len(words) > 1 and fold_for(ruling.block.lexis, words[0]) in forms:
        words.pop(0)
    short = " ".join(words).rstrip(",")
    if short == holder or rules.publisher(short).name:
        return short
    lines = [r.block for r in rulings if r is not ruling and (r.kind in _CHROME or r.kind is PieceClass.METADATA)]
    return _find_written(short, lines) or holder


def _find_written(name: str, lines: Iterable[Block]) -> str | None:
    """`name` as one of the site's lines writes it, with a capital."""
    pattern = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
    for line in lines:
        found = pattern.search(line.text)
        if found and found[0][0].isupper() and not found[0].isupper():
            return found[0]
    return None


def _find_issuer(rulings: Sequence[Ruling]) -> str | None:
    """`About Tidewater Ropes` over the boilerplate of a release names who issued it, where the story does too."""
    story = " ".join(r.block.text for r in rulings if r.kind in (PieceClass.BODY, PieceClass.TITLE))
    for ruling in rulings:
        if ruling.rule != "notices/about" or ruling.block.is_sentence or len(ruling.block.text) > _LONGEST:
            continue
        words = ruling.block.text.strip(_EDGES).split()
        for start in range(1, len(words)):
            name = " ".join(words[start:])
            if not name[0].islower() and name in story:
                return name
    return None
