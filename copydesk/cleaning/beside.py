"""What stands beside a name in a line of fields: the paper that its bearer writes for, an agency that helped, a place.

A line that was read is kept as `FieldLine`; reading it is done in `fieldline`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from copydesk.cleaning.guesses import is_papers_name, looks_like_publisher
from copydesk.cleaning.lexis import Lexis
from copydesk.cleaning.marks import Fact
from copydesk.cleaning.names import split_names
from copydesk.cleaning.normalise import has_digit
from copydesk.cleaning.patterns import is_unspaced
from copydesk.cleaning.rules import Rules
from copydesk.cleaning.view import fold_for

_MOST_BESIDE = 5
_MOST_WORDS_OF_OFFICE = 6
_APART = re.compile(r"[,|/()]|\s-\s")


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

    def forget_guesses(self, roles: tuple[str, ...]) -> None:
        """Take back what was guessed from looks: the text turned out to be a sentence."""
        for fact in [f for f in self.facts if f.role in roles and f.rank >= 4]:
            self.facts.remove(fact)
            self.unknown.append(fact.value)


def settle_pair(line: FieldLine) -> None:
    """`Leandro Iturri | Cuadernos del Plata`: a name, and behind a bar what reads like a paper and like no name."""
    people = [fact for fact in line.facts if fact.role == "authors"]
    beside = next((fact for fact in line.facts if fact.role == "beside" and fact.value in line.unknown), None)
    if line.labelled or len(people) != 1 or beside is None or line.unknown != [beside.value]:
        return
    if is_papers_name(beside.value):
        line.facts[line.facts.index(people[0])] = replace(people[0], rank=2)
        line.facts[line.facts.index(beside)] = replace(beside, role="source", rank=3)
        line.unknown.clear()


def find_beside(text: str, lexis: Lexis) -> str | None:
    """What a comma parts from one full name: `Jane Roe, Northwind` - a paper, a place, or a second author."""
    parts = [part.strip() for part in re.split(r"[,，،]|\s?/\s?", re.split(r"\s[-–—|]\s", text)[0])]
    if len(parts) != 2 or not parts[1] or has_digit(text) or is_unspaced(text[0]):
        return None
    if fold_for(lexis, parts[1]).strip(".") in lexis.words["company_forms"]:
        return None
    if any(f" {word} " in fold_for(lexis, parts[1]) for word in lexis.words["and"]) or names_an_office(parts[1], lexis):
        return None
    is_pair = len(split_names(parts[0], lexis, trusted=False)) == 1 and not parts[1][0].islower()
    return parts[1] if is_pair and len(parts[1].split()) <= _MOST_BESIDE else None


def is_paper(text: str, lexis: Lexis) -> bool:
    return looks_like_publisher(text, fold_for(lexis, text), lexis)


def read_with_agency(text: str, low: str, line: FieldLine, lexis: Lexis, rules: Rules) -> bool:
    """`La Gazette des Étangs avec AFP`: the paper signs, with an agency's help."""
    for word in lexis.words["with"]:
        place = low.find(f" {word} ")
        if place > 0 and text[0].isupper() and rules.publisher(text[place + len(word) + 2 :].removeprefix("l'")).agency:
            line.facts.append(Fact("source", text[:place].rstrip(" ,("), rank=2))
            return True
    return False


def names_an_office(text: str, lexis: Lexis) -> bool:
    """True for `Staff Writer`, `Jane Roe, Correspondent`: an office, alone or with its bearer."""
    low = fold_for(lexis, text)
    is_short = len(text) <= 60 and (text.count(" ") < _MOST_WORDS_OF_OFFICE or _APART.search(low) is not None)
    return is_short and lexis.has_word("bylines", low)
