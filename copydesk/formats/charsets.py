"""Which legacy charset a text is in, told from its letters.

Called only for bytes that are not UTF-8 and carry no mark. Each candidate decodes a bounded sample; the decoded
text is weighed with a small model of each language written in that charset (`letters.py`), so all candidates
answer one question: how likely is this text? General detectors confuse the East Asian and the Cyrillic sets with
each other on short texts (figures: benchmarks/encodings_check.py). What a document declares is weighed elsewhere, in
`encoding.py`.
"""

from __future__ import annotations

import codecs
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise

from copydesk.formats import letters

SAMPLE_BYTES = 2048
"""Longest sample that is weighed: a thousand bytes gave every answer that more gave (benchmarks/encodings_check.py)."""

# The more usual in newsrooms first: it wins where two explain the bytes about equally well.
CANDIDATES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cp1252", ("en", "fr", "de", "es", "pt", "it", "nl", "sv", "da", "no", "fi", "is", "ca", "gl", "eu", "ga", "sq")),
    ("cp1250", ("pl", "cs", "sk", "hu", "ro", "hr", "sl", "sq", "de")),
    ("cp1251", ("ru", "uk", "bg", "be", "sr", "mk", "kk")),
    ("cp1253", ("el",)),
    ("cp1254", ("tr",)),
    ("cp1255", ("he",)),
    ("cp1256", ("ar",)),
    ("cp1257", ("lt", "lv", "et")),
    ("cp1258", ("vi",)),
    ("tis-620", ("th",)),
    ("gb18030", ("zh-Hans", "zh-Hant")),
    ("big5", ("zh-Hant",)),
    ("shift_jis", ("ja",)),
    ("euc_jp", ("ja",)),
    ("euc_kr", ("ko",)),
    ("koi8-r", ("ru",)),
    ("koi8-u", ("uk", "be")),
    ("iso8859-2", ("pl", "cs", "sk", "hu", "ro", "hr", "sl")),
    ("iso8859-5", ("ru", "uk", "bg", "be", "sr", "mk")),
    ("iso8859-6", ("ar",)),
    ("iso8859-7", ("el",)),
    ("iso8859-4", ("lt", "lv", "et")),
    ("iso8859-15", ("fr", "fi", "et")),
    ("iso8859-16", ("ro",)),
    ("cp866", ("ru", "be", "uk")),
    ("mac-cyrillic", ("ru", "uk")),
    ("mac-roman", ("fr", "de", "es", "pt", "it", "sv", "da", "en")),
)

# The set as vendors extended it, tried where the plain one does not decode every byte.
WIDER: Mapping[str, tuple[str, ...]] = {
    "big5": ("cp950", "big5hkscs"),
    "shift_jis": ("cp932", "shift_jis_2004"),
    "euc_jp": ("euc_jis_2004",),
    "euc_kr": ("cp949",),
    "tis-620": ("cp874",),
}

# Natural logarithms. ASCII costs the same under every candidate, as near as no matter.
_ASCII = -3.2
_PUNCTUATION = -7.5
_SYMBOL = -10.0
_STRANGE_LETTER = -11.0
_OTHER_SCRIPT = -12.0
_CONTROL = -16.0
_CAPITAL = -3.0
_WORD = 1.2
_WORDS_COUNTED = 40
_PLACE = -0.05
_USUAL = 1.5
"""In favour of the first: most texts with few letters beyond ASCII are in it."""
_GUEST = -0.05
_GUEST_MOST = -10.0
"""For each ASCII letter, and at most, where the language is in another script: a sign or two of Latin-1 in an English
text would else read as a likely Cyrillic letter, while a foreign word of six letters still outweighs it."""
_RIDGE = -5.0
"""For a pair of neighbours that no language writes: a capital after a small letter, two scripts in one word."""

_REMEMBERED = 1 << 16
"""Bound of each cache of single characters and pairs: a worker runs for weeks."""

_EAST_ASIAN = {"zh-Hans", "zh-Hant", "ja", "ko"}
_CJK_PUNCTUATION = "，。、“”‘’《》〈〉「」『』（）：；！？－～·—…　％＋／０１２３４５６７８９【】〔〕．"
_PUNCTUATION_MARKS = set("–—‘’‚“”„†•…‹›«»·°§©®€£¥№¿¡ \u00a0\u200e\u200f\u00ad™′″½´")


@dataclass(frozen=True, slots=True)
class Guess:
    """A charset that may be the right one."""

    codec: str
    language: str
    score: float
    """Log likelihood of the sample, in nats; only differences mean anything."""


def rank(data: bytes) -> list[Guess]:
    """The candidates that can decode `data`, the most likely first.

    `data` holds bytes above 0x7F and is not UTF-8. Empty where no candidate explains it, which random bytes do.
    """
    part = sample(data)
    guesses = []
    for place, (codec, languages) in enumerate(CANDIDATES):
        text = _decode_sample(part, codec)
        if text is None:
            continue
        language, score = _weigh(text, languages)
        guesses.append(Guess(codec, language, score + _PLACE * place + (_USUAL if place == 0 else 0)))
    return sorted(guesses, key=lambda guess: -guess.score)


def sample(data: bytes) -> bytes:
    """The first lines that hold a byte beyond ASCII, `SAMPLE_BYTES` of them, from a bounded start of `data`."""
    head = data[: 64 * SAMPLE_BYTES]
    if len(head) <= SAMPLE_BYTES:
        return head
    kept: list[bytes] = []
    size = 0
    for line in head.split(b"\n"):
        if line.isascii():
            continue
        kept.append(line[: SAMPLE_BYTES - size])
        size += len(kept[-1]) + 1
        if size >= SAMPLE_BYTES:
            break
    return b"\n".join(kept) or head[:SAMPLE_BYTES]


def _decode_sample(part: bytes, codec: str) -> str | None:
    """The sample as text, or None where more than one character in fifty is not in the charset."""
    wide = WIDER.get(codec, ())
    decoder = codecs.getincrementaldecoder(wide[0] if wide else codec)("replace")
    text = decoder.decode(part)  # a character cut by the sample's end stays in the decoder
    beyond = len(text) - len(text.encode("ascii", "ignore"))
    if not beyond or text.count("\ufffd") * 50 > beyond:
        return None
    return text


def _weigh(text: str, languages: tuple[str, ...]) -> tuple[str, float]:
    counts = Counter(text)
    ridges = _RIDGE * _count_ridges(text)
    words = Counter(re.findall(r"[a-zA-Z]+", text.lower())) if any(lang in letters.LATIN for lang in languages) else {}
    ascii_letters = sum(n for c, n in counts.items() if c < "\x80" and c.isalpha())
    best = (languages[0], -math.inf)
    for language in languages:
        model = _model(language)
        score = sum(n * (model.get(c) or _unlisted(c, language)) for c, n in counts.items()) + ridges
        if language in letters.LATIN:
            score += _WORD * _known_words(words, language)
        else:
            score += max(_GUEST_MOST, _GUEST * ascii_letters)
        if score > best[1]:
            best = (language, score)
    return best


def _known_words(words: Mapping[str, int], language: str) -> float:
    total = sum(words.values())
    hits = sum(words.get(word, 0) for word in _words(language))
    return hits * min(1.0, _WORDS_COUNTED / total) if total else 0.0


def _count_ridges(text: str) -> float:
    """Neighbours that no language writes, summed over the distinct pairs of the text."""
    pairs = Counter(pairwise(text))
    return sum(n * _ridge(a, b) for (a, b), n in pairs.items() if a > "\x7f" or b > "\x7f")


@lru_cache(_REMEMBERED)
def _ridge(a: str, b: str) -> float:
    kinds = unicodedata.category(a), unicodedata.category(b)
    if kinds[0][0] in "LM" and kinds[1][0] in "LM":
        scripts = _script(a), _script(b)
        if scripts[0] == scripts[1]:
            return float(kinds == ("Ll", "Lu"))
        # `iPhone手机` is written, `caf閠` is a misreading, so this counts for less than two alphabets in one word.
        return 0.4 if "wide" in scripts and kinds[0] == "Ll" else float("wide" not in scripts)
    # A sign inside a word: `si¿`, `b³`.
    for letter, sign, kind in ((a, b, kinds[1]), (b, a, kinds[0])):
        if letter.isalpha() and sign > "\x7f" and kind in {"Sc", "Sk", "Sm", "So", "No"}:
            return 1.0
    return float(a.isalpha() and b in "¿¡")


@lru_cache(_REMEMBERED)
def _script(char: str) -> str:
    if char < "\u0250" or "\u1e00" <= char <= "\u1eff":
        return "latin"
    for name, first, last in (
        ("greek", "\u0370", "\u03ff"), ("cyrillic", "\u0400", "\u04ff"), ("hebrew", "\u0590", "\u05ff"),
        ("arabic", "\u0600", "\u06ff"), ("thai", "\u0e00", "\u0e7f"),
    ):  # fmt: skip
        if first <= char <= last:
            return name
    return "wide"


@lru_cache(_REMEMBERED)
def _unlisted(char: str, language: str) -> float:
    """Cost of a character that the language's table does not hold."""
    if char < "\x80":
        return _ASCII if char >= " " or char in "\t\n\r\f" else _CONTROL
    category = unicodedata.category(char)
    if category in {"Cc", "Cn", "Co"} or char in "\ufffd¤":  # the sign for any currency is a euro misread
        return _CONTROL
    if char in _PUNCTUATION_MARKS:
        return _PUNCTUATION
    if not category.startswith(("L", "M")):
        return _SYMBOL
    home = "wide" if language in _EAST_ASIAN else _script(letters.SCRIPTS.get(language, "a")[0])
    return _STRANGE_LETTER if _script(char) == home else _OTHER_SCRIPT


@cache
def _words(language: str) -> frozenset[str]:
    return frozenset(letters.LATIN[language].words.split())


@cache
def _model(language: str) -> Mapping[str, float]:
    """Log probability of each listed character of a language, capitals included."""
    if language in _EAST_ASIAN:
        return _east_asian(language)
    if language in letters.LATIN:
        latin = letters.LATIN[language]
        listed, share = latin.letters, latin.share
    else:
        listed, share = letters.SCRIPTS[language], 0.95
    model: dict[str, float] = {}
    for char, weight in _falling(listed, share).items():
        model[char] = weight
        capital = char.upper()
        if capital != char and len(capital) == 1:
            model.setdefault(capital, weight + _CAPITAL)
    return model


def _falling(listed: str, mass: float) -> dict[str, float]:
    """Spread `mass` over characters ordered by frequency: 1 / (rank + 3), close to letter counts and to Zipf."""
    weights = [1 / (rank + 3) for rank in range(len(listed))]
    total = sum(weights)
    return {char: math.log(mass * w / total) for char, w in zip(listed, weights, strict=True)}


def _east_asian(language: str) -> dict[str, float]:
    """Common characters by rank, the rest of the national set's first level and second level each spread evenly."""
    tops = {
        "zh-Hans": ((letters.HANS, 0.50),),
        "zh-Hant": ((letters.HANT, 0.50),),
        "ja": ((letters.KANA, 0.55), (letters.KANJI, 0.15)),
        "ko": ((letters.HANGUL, 0.70),),
    }[language]
    codec, levels = {
        "zh-Hans": ("gb2312", ((0xB0, 0xD8, 0.38), (0xD8, 0xF8, 0.02))),
        "zh-Hant": ("big5", ((0xA4, 0xC7, 0.38), (0xC9, 0xFA, 0.01))),
        "ja": ("euc_jp", ((0xA4, 0xA6, 0.08), (0xB0, 0xD0, 0.15), (0xD0, 0xF5, 0.005))),
        "ko": ("euc_kr", ((0xB0, 0xC9, 0.20), (0xCA, 0xFE, 0.005))),
    }[language]
    model = {char: weight for listed, mass in tops for char, weight in _falling(listed, mass).items()}
    for first, last, mass in levels:
        pairs = (bytes((lead, trail)) for lead in range(first, last) for trail in range(0x40, 0xFF))
        # Where a pair is none, the codec skips its first byte and shows the second, which may be ASCII.
        rows = [char for pair in pairs if len(char := pair.decode(codec, "ignore")) == 1 and char > "\x7f"]
        even = math.log(mass / len(rows))
        for char in rows:
            model.setdefault(char, even)
    for char in _CJK_PUNCTUATION:
        model.setdefault(char, -4.5)
    return model
