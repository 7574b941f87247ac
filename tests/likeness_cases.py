"""Pairs of texts with the answer: made from the hand-written stories of `cases/dedupe`, the same each time.

Copies are edited at random places by a seeded generator; everything that is not the same story was written as such.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

CASES = Path(__file__).parent / "cases" / "dedupe"
LANGUAGES = ("ar", "ko", "ru", "th", "zh")

EDITS = (0.01, 0.05, 0.15)
SEEDS = (1, 2)
HOURS = (1, 30)

# How many characters an edit touches where no space divides words.
_CHUNK = {"zh": 2, "th": 4}


@dataclass(frozen=True, slots=True)
class Text:
    """A headline and the paragraphs below it."""

    title: str
    body: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts, how far apart they came, and whether they are one story."""

    name: str
    one: Text
    other: Text
    apart: timedelta
    is_same: bool


def pairs(language: str) -> Iterator[Pair]:
    """Every pair of one language."""
    cases = _read(language)
    stories = [_text(story) for story in cases["story"]]
    for number, story in enumerate(stories):
        others = [unit for other in stories if other is not story for p in other.body for unit in _units(p, language)]
        for rate in EDITS:
            for seed in SEEDS:
                copy = _edit(story, rate, random.Random(f"{language} {number} {rate} {seed}"), others, language)
                yield Pair(f"story {number}, {rate:.0%} edited", story, copy, timedelta(hours=HOURS[seed - 1]), True)
        cut = Text(story.title, story.body[:2])
        yield Pair(f"story {number}, cut", story, cut, timedelta(hours=1), True)
        for other in cases["other"]:
            yield Pair(f"story {number}, {other['kind']}", story, _text(other), timedelta(hours=1), False)
    yield from template_pairs(language, cases)


def template_pairs(language: str, cases: dict[str, Any] | None = None) -> Iterator[Pair]:
    """Bulletins of one template: with other facts they are two stories, lightly edited they are one."""
    for number, template in enumerate((cases or _read(language))["template"]):
        name = f"template {template.get('name', number)}"
        filled = [_fill(template, fill) for fill in template["fills"]]
        units = _units(template["text"].replace("{", "").replace("}", ""), language)
        for hours in HOURS:
            for one, other in combinations(filled, 2):
                yield Pair(name, one, other, timedelta(hours=hours), False)
        for place, bulletin in enumerate(filled):
            copy = _edit(bulletin, 0.03, random.Random(f"{name} {place}"), units, language)
            yield Pair(f"{name}, a copy", bulletin, copy, timedelta(hours=1), True)


def _read(language: str) -> dict[str, Any]:
    return tomllib.loads((CASES / f"{language}.toml").read_text("utf-8"))


def _text(case: dict[str, str]) -> Text:
    return Text(case["title"], tuple(case["text"].strip().splitlines()))


def _fill(template: dict[str, Any], fill: dict[str, str]) -> Text:
    return Text(template.get("title", "").format(**fill), (template["text"].format(**fill),))


def _units(text: str, language: str) -> list[str]:
    size = _CHUNK.get(language)
    return text.split() if size is None else [text[i : i + size] for i in range(0, len(text), size)]


def _edit(text: Text, rate: float, random_: random.Random, others: list[str], language: str) -> Text:
    """A copy with this share of its units replaced, left out or moved; figures stay as they are."""
    body = []
    for paragraph in text.body:
        units = _units(paragraph, language)
        edited: list[str] = []
        for unit in units:
            if random_.random() >= rate or any(char.isdigit() for char in unit):
                edited.append(unit)
                continue
            action = random_.random()
            if action < 0.6:
                edited.append(random_.choice(others))
            elif action < 0.8 and edited:
                edited.insert(-1, unit)
        body.append(("" if language in _CHUNK else " ").join(edited))
    return Text(text.title, tuple(body))
