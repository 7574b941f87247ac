"""Tells the language of a text: by script where that settles it, by letters of one language, then statistically.

py3langid is asked only for Latin, Cyrillic and Arabic text, and only among the languages a newsroom meets in it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from copy import copy
from functools import lru_cache
from typing import Any

_RANGES = (
    ("kana", "\u3040", "\u30ff"),
    ("han", "\u3400", "\u9fff"),
    ("hangul", "\uac00", "\ud7a3"),
    ("thai", "\u0e00", "\u0e7f"),
    ("hebrew", "\u0590", "\u05ff"),
    ("greek", "\u0370", "\u03ff"),
    ("devanagari", "\u0900", "\u097f"),
    ("arabic", "\u0600", "\u06ff"),
    ("cyrillic", "\u0400", "\u04ff"),
    ("bengali", "\u0980", "\u09ff"),
    ("tamil", "\u0b80", "\u0bff"),
    ("georgian", "\u10a0", "\u10ff"),
    ("armenian", "\u0530", "\u058f"),
)
_BY_SCRIPT = {
    "thai": "th", "hebrew": "he", "greek": "el", "devanagari": "hi", "hangul": "ko", "bengali": "bn", "tamil": "ta",
    "georgian": "ka", "armenian": "hy",
}  # fmt: skip
_CHOICES = {
    "latin": (
        "en", "de", "fr", "es", "pt", "it", "nl", "sv", "pl", "cs", "tr", "id", "vi", "da", "no", "fi", "hu", "ro",
        "sk", "hr", "sl", "ca", "et", "lv", "lt", "ms", "sw", "tl", "af", "is", "sq", "az",
    ),
    "cyrillic": ("ru", "uk", "bg", "sr", "be", "mk", "kk"),
    "arabic": ("ar", "fa", "ur"),
}  # fmt: skip
_SAMPLE = 500
"""Characters that are looked at; more changes no answer on news text and costs time."""
_SHARE_COMMON, _FEWEST_WORDS = 0.33, 20
_WORDS = re.compile(r"[^\W\d_]+")


@lru_cache(maxsize=1)
def load_models() -> dict[str, Any]:  # py3langid has no types
    """The identifier of each script that needs one; reads the package's model file, the first time only."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    whole = LanguageIdentifier.from_model_file(MODEL_FILE)
    models = {}
    for script, choices in _CHOICES.items():
        models[script] = copy(whole)
        models[script].set_languages([code for code in choices if code in whole.nb_classes])
    return models


def count_scripts(text: str) -> Counter[str]:
    """How many letters of each script stand in `text`."""
    counts: Counter[str] = Counter()
    for char, times in Counter(text).items():
        if char < "\u0250":
            counts["latin"] += times * char.isalpha()
            continue
        for name, low, high in _RANGES:
            if low <= char <= high:
                counts[name] += times
                break
        else:
            counts["latin"] += times * ("\u1e00" <= char <= "\u1eff")
    return counts


def detect_language(
    texts: list[str],
    variants: Mapping[int, str] | None = None,
    common: Mapping[str, tuple[str, ...]] | None = None,
) -> str | None:
    """BCP 47 tag of the text whose paragraphs are given, longest ones first taken; None where nothing tells it.

    `common` holds the words that are in every text of some languages (`index_common`); where those of one make up a
    good part of the sample, the statistics are not asked. `variants` maps traditional characters to simplified ones, to
    tell the two scripts of Chinese apart.
    """
    sample = ""
    for text in sorted(texts, key=len, reverse=True):
        sample += text[: _SAMPLE - len(sample)] + "\n"
        if len(sample) >= _SAMPLE:
            break
    if sample.isascii():
        is_text = any(map(str.isalpha, sample))
        return _count_common(sample, common or {}) or _classify("latin", sample) if is_text else None
    counts = count_scripts(sample)
    total = counts.total()
    if not total:
        return None
    if counts["kana"] > 0.05 * total:
        return "ja"
    # One character of these scripts says about as much as two letters.
    script = max(counts, key=lambda name: counts[name] * (2 if name in ("han", "hangul") else 1))
    if script == "han":
        return f"zh-{_chinese_script(sample, variants or {})}"
    if script in _BY_SCRIPT:
        return _BY_SCRIPT[script]
    return _count_common(sample, common or {}) or _classify(script if script in _CHOICES else "latin", sample)


def index_common(common: Mapping[str, frozenset[str]]) -> Mapping[str, tuple[str, ...]]:
    """Word → the languages in whose every text it is, from the words by language."""
    found: dict[str, list[str]] = {}
    for language, words in common.items():
        for word in words:
            found.setdefault(word, []).append(language)
    return {word: tuple(languages) for word, languages in found.items()}


def _count_common(sample: str, common: Mapping[str, tuple[str, ...]]) -> str | None:
    """The language whose common words make up a third of the sample, and twice as many as any other's."""
    words = _WORDS.findall(sample.lower())
    if len(words) < _FEWEST_WORDS:
        return None
    times: dict[str, int] = {}
    for word in words:
        for language in common.get(word, ()):
            times[language] = times.get(language, 0) + 1
    if not times:
        return None
    best = max(times, key=lambda language: (times[language], language))
    second = max((count for language, count in times.items() if language != best), default=0)
    return best if times[best] >= _SHARE_COMMON * len(words) and times[best] >= 2 * second else None


def _chinese_script(sample: str, variants: Mapping[int, str]) -> str:
    """`Hant` where more characters are traditional forms than simplified ones of such pairs."""
    found = Counter(char for char in sample if char > "\u33ff")
    traditional = sum(times for char, times in found.items() if ord(char) in variants)
    simplified = sum(found[form] for form in set(variants.values()) & found.keys()) if traditional else 1
    return "Hant" if traditional > simplified else "Hans"


def _classify(script: str, sample: str) -> str | None:
    if script == "arabic":
        return _classify_arabic(sample)
    if script == "cyrillic":
        if any(c in sample for c in "іїєґІЇЄҐ") and "ы" not in sample:
            return "uk"
        if any(c in sample for c in "ыэёЫЭЁ") and not any(c in sample for c in "іўІЎқңғүұһәө"):
            return "ru"
    words = " ".join(_WORDS.findall(sample))
    return str(load_models()[script].classify(words)[0]) if words else None


def _classify_arabic(sample: str) -> str | None:
    if any(c in sample for c in "ٹڈڑںےہ"):
        return "ur"
    if any(c in sample for c in "پچگژیک"):
        return "fa"
    return "ar"
