"""Bytes to text: which charset, by which evidence, and what was lost or put right on the way.

Order of evidence: a byte order mark; the zeros of UTF-16 and UTF-32; escape sequences of the 7-bit East Asian sets;
well-formed UTF-8; what the sender or the document declares, unless the text then reads as nonsense; the letters
themselves (`charsets.py`). Knows no format: who calls it reads declarations out of a prolog or a meta element.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from copydesk.formats import charsets, mojibake
from copydesk.models import Hints

# Names that declarations use and Python does not know, or that are declared where a wider set is meant
# (encoding.spec.whatwg.org, "Names and labels").
LABELS: Mapping[str, str] = {
    "ansi_x3.4-1968": "cp1252",
    "ascii": "cp1252",
    "cp874": "tis-620",
    "cp932": "shift_jis",
    "cp936": "gb18030",
    "cp949": "euc_kr",
    "cp950": "big5",
    "dos-874": "tis-620",
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gbk": "gb18030",
    "iso-8859-1": "cp1252",
    "iso-8859-11": "tis-620",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-9": "cp1254",
    "iso8859-1": "cp1252",
    "iso8859-11": "tis-620",
    "iso8859-9": "cp1254",
    "ks_c_5601-1987": "euc_kr",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "latin5": "cp1254",
    "macintosh": "mac-roman",
    "ms932": "shift_jis",
    "ms_kanji": "shift_jis",
    "unicode": "utf-16",
    "us-ascii": "cp1252",
    "windows-31j": "shift_jis",
    "windows-874": "tis-620",
    "windows-949": "euc_kr",
    "x-euc-jp": "euc_jp",
    "x-gbk": "gb18030",
    "x-mac-cyrillic": "mac-cyrillic",
    "x-mac-roman": "mac-roman",
    "x-sjis": "shift_jis",
}

_MARKS: tuple[tuple[bytes, str], ...] = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_ESCAPES: tuple[tuple[bytes, str], ...] = (
    (b"\x1b$)C", "iso2022_kr"),
    (b"\x1b$@", "iso2022_jp_ext"),
    (b"\x1b$B", "iso2022_jp_ext"),
    (b"\x1b$(D", "iso2022_jp_ext"),
)
# Python's codecs that are charsets: not base64, idna or raw-unicode-escape, and not UTF-7, which browsers refuse.
_CHARSET = re.compile(
    r"utf-(?:8|16|32)|cp\d|iso8859|iso2022|koi8|big5|gb|hz|shift|euc|mac|johab|kz1048|ptcp154|hp-roman"
)
# Bytes of UTF-8 that neither a control character nor misread text can begin with: those begin with C2, C3 or D0.
_HARMLESS = bytes({9, 10, 11, 12, 13, *range(0x20, 0x7F), *range(0x80, 0x100)} - {0xC2, 0xC3, 0xD0, 0xEF, 0xED})
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")

# A declaration is overruled where the letters speak against it by both: so much in all, and per byte beyond ASCII
# (nats). Below this the declared charset stands, as short texts are told apart by little.
_AGAINST_TOTAL = 25.0
_AGAINST_EACH = 0.5


_SHORT = 65_536
"""Bytes up to which a decoded input is kept for a moment."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, and how it was come by."""

    text: str
    """Without byte order mark and control characters; line breaks as they stood."""
    encoding: str
    """Python codec name (`codecs.lookup(name).name`)."""
    bom: bool = False
    warnings: tuple[str, ...] = ()
    """Of `declared_encoding_wrong`, `mixed_encodings`, `undecodable_bytes`, `mojibake_repaired`,
    `control_characters_removed`, `replacement_characters`."""


def decode(data: bytes, declared: str | None = None, hints: Hints | None = None) -> Decoded:
    """Decode any bytes; never fails. `declared` is what the document says of itself, hints what the sender says.

    A short input is asked for twice, when its format is told and when it is read; the answer is kept for the second.
    """
    stated = declared_by(hints)
    return _decode_again(data, declared, stated) if len(data) <= _SHORT else _decode(data, declared, stated)


def _decode(data: bytes, declared: str | None, stated: str | None) -> Decoded:
    for mark, codec in _MARKS:
        if data.startswith(mark):
            text, warnings = _decode_as(data[len(mark) :], codec)
            return _finish(text, codec, warnings, bom=True)
    wide = wide_encoding(data)
    if wide:
        text, warnings = _decode_as(data, wide)
        return _finish(text, wide, warnings)
    claims = [codec for codec in map(codec_of, (stated, declared)) if codec]
    for escape, codec in _ESCAPES:
        if escape in data and b"\x00" not in data:
            text, warnings = _decode_as(data, codec)
            return _finish(text, codec.removesuffix("_ext"), warnings)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_legacy(data, claims)
    wrong = claims and claims[0] != "utf-8" and not data.isascii()
    warnings = ("declared_encoding_wrong",) if wrong else ()
    if not data.translate(None, _HARMLESS):
        return Decoded(text, "utf-8", warnings=warnings)
    return _finish(text, "utf-8", warnings)


_decode_again = lru_cache(maxsize=2)(_decode)


def declared_by(hints: Hints | None) -> str | None:
    """The charset that the sender names, by itself or as a parameter of the media type."""
    if hints is None:
        return None
    if hints.encoding:
        return hints.encoding
    found = re.search(r"charset\s*=\s*[\"']?([^\s\"';]+)", hints.media_type or "", re.IGNORECASE)
    return found[1] if found else None


def codec_of(label: str | None) -> str | None:
    """The Python codec for a declared name, widened as browsers do; None for a name that means nothing."""
    name = (label or "").strip(" \t\n\"'").lower()
    name = LABELS.get(name, name)
    try:
        name = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    name = LABELS.get(name, name)
    if name == "utf-8-sig":
        return "utf-8"
    return name if _CHARSET.match(name) else None


def wide_encoding(data: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark, told by where the zeros stand; None for anything else."""
    head = data[:4096]
    zeros = head.count(0)
    if zeros * 50 < len(head) or len(head) < 4:
        return None
    for codec, width in (("utf-32-le", 4), ("utf-32-be", 4), ("utf-16-le", 2), ("utf-16-be", 2)):
        try:
            text = head[: len(head) // width * width].decode(codec)
        except UnicodeDecodeError as error:
            if error.start < len(head) - 4:  # else only a pair that the sample cuts
                continue
            text = head[: error.start].decode(codec)
        if _reads_as_text(text):
            return codec
    return None


def printable(text: str) -> str:
    """Without NUL, other control characters that break no line, and lone surrogates."""
    return _CONTROLS.sub("", text)


def _reads_as_text(text: str) -> bool:
    """True for text with some ASCII in it (spaces, digits, line breaks) and hardly a control or unassigned one.

    ASCII text with its bytes swapped is ideographs without one space, hence the first condition.
    """
    ascii_share = sum(1 for c in text if " " <= c <= "~" or c in "\t\r\n")
    others = sum(1 for c in text if c > "~" and c.isprintable())
    return ascii_share * 50 >= len(text) and (ascii_share + others) * 100 >= 98 * len(text)


def _decode_as(data: bytes, codec: str) -> tuple[str, tuple[str, ...]]:
    try:
        return data.decode(codec), ()
    except UnicodeDecodeError:
        if codec == "utf-8":
            return _mend_utf8(data.decode(codec, "surrogateescape"))
        return data.decode(codec, "replace"), ("undecodable_bytes",)


def _decode_legacy(data: bytes, claims: list[str]) -> Decoded:
    """For bytes that are not well-formed UTF-8."""
    damaged = _damaged_utf8(data)
    if damaged:
        return damaged
    guesses = charsets.rank(data)
    # Latin-1 is what servers and templates declare unasked, so any other declaration goes before it.
    for claim in sorted(claims, key=lambda claim: claim == "cp1252"):
        if claim.startswith(("utf-16", "utf-32")):
            continue  # nearly any bytes decode as these, and no zeros stand where theirs would
        read = _decode_widening(data, claim)
        if read and not _speaks_against(data, claim, guesses):
            return _finish(*read, ("declared_encoding_wrong",) if claim != claims[0] else ())
    warnings = ("declared_encoding_wrong",) if claims else ()
    for guess in guesses[:3]:
        if guesses[0].score - guess.score > _AGAINST_TOTAL:
            break
        read = _decode_widening(data, guess.codec)
        if read:
            return _finish(*read, warnings)
    best = guesses[0].codec if guesses else "cp1252"
    best = charsets.WIDER.get(best, (best,))[0]
    return _finish(data.decode(best, "replace"), best, (*warnings, "undecodable_bytes"))


def _damaged_utf8(data: bytes) -> Decoded | None:
    """UTF-8 with a few bad bytes in it, None for anything else."""
    text = data.decode("utf-8", "surrogateescape")
    bad = len(re.findall("[\udc80-\udcff]", text))
    good = len(text) - len(text.encode("ascii", "ignore")) - bad
    # A legacy text holds well-formed sequences by accident: at most 0.8 for each bad byte in 30 bytes of EUC-JP, 0.5
    # in 200, and fewer in all other languages and charsets of the tests.
    if good < 2 * bad:
        return None
    text, warnings = _mend_utf8(text)
    return _finish(text, "utf-8", warnings)


def _mend_utf8(text: str) -> tuple[str, tuple[str, ...]]:
    """What `surrogateescape` let through, read as Windows-1252 where it stands alone, else marked as lost."""
    warnings = set()

    def read(match: re.Match[str]) -> str:
        byte = match[0].encode("utf-8", "surrogateescape")
        # 0xC2, 0xC3 and 0xE2 are what is left of a cut character far more often than a letter of their own.
        if len(byte) == 1 and byte not in b"\xc2\xc3\xe2":
            char = byte.decode("cp1252", "ignore")
            if char:
                warnings.add("mixed_encodings")
                return char
        warnings.add("undecodable_bytes")
        return "\ufffd"

    return re.sub("[\udc80-\udcff]+", read, text), tuple(sorted(warnings))


def _decode_widening(data: bytes, codec: str) -> tuple[str, str] | None:
    """Strictly, with the plain charset where its vendors' extension reads the same, else with the extension."""
    texts = {}
    for name in (codec, *charsets.WIDER.get(codec, ())):
        try:
            texts[name] = data.decode(name)
        except UnicodeDecodeError:
            continue
    if not texts:
        return None
    wider = [name for name in texts if name != codec]
    if codec in texts and (not wider or texts[wider[0]] == texts[codec]):
        return texts[codec], codec
    # Where both read and differ (wave dash, middle dot), nearly all files are from the vendor's systems.
    return texts[wider[0]], wider[0]


def _speaks_against(data: bytes, claim: str, guesses: list[charsets.Guess]) -> bool:
    """True where the letters say plainly that the declared charset is another one."""
    if not guesses or guesses[0].codec == claim:
        return False
    claimed = next((guess for guess in guesses if guess.codec == claim), None)
    if claimed is None:
        # Not among the candidates: a rare set that the sender must know. Among them and not ranked: it does not fit.
        return any(codec == claim for codec, _ in charsets.CANDIDATES)
    margin = guesses[0].score - claimed.score
    beyond = sum(1 for byte in charsets.sample(data) if byte > 0x7F)
    return margin > _AGAINST_TOTAL and margin > _AGAINST_EACH * beyond


def _finish(text: str, codec: str, warnings: tuple[str, ...] = (), *, bom: bool = False) -> Decoded:
    """Put misread text right, take control characters out, and say so."""
    said = list(warnings)
    if text.startswith("\ufeff"):
        text, bom = text[1:], True
    repaired = mojibake.repair(text)
    if repaired != text:
        said.append("mojibake_repaired")
    cleaned = printable(repaired)
    if cleaned != repaired:
        said.append("control_characters_removed")
    if "\ufffd" in cleaned and "undecodable_bytes" not in said:
        said.append("replacement_characters")
    return Decoded(cleaned, codecs.lookup(codec).name, bom, tuple(said))
