"""Text that was decoded with the wrong charset before it was sent, put right where it round-trips.

Covers UTF-8 read as Windows-1252 or Latin-1 (`donâ€™t`, `cafÃ©`, `Ð¿Ñ€Ð¸`), UTF-8 read as Windows-1251
(`РџСЂРёРІРµС‚`) and single Windows-1252 punctuation left as C1 controls. A sequence is put right only if it is
the exact image of one UTF-8 character, of a kind that such text holds, so a French capital before a closing
guillemet stays (`CAFÉ»`). What was lost for good (`锟斤拷`, U+FFFD) is only counted, by the caller.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

# Windows-1252 as browsers read it: the five bytes that it leaves open stand for the C1 control of that number.
_BYTE_OF = {bytes((b,)).decode("cp1252", "ignore") or chr(b): b for b in range(0x80, 0x100)}
_C1_TEXT = {b: bytes((b,)).decode("cp1252") for b in range(0x80, 0xA0) if b not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)}
_C1_TO_BYTE = {chr(b): b for b in range(0x80, 0xA0)}
_TO_BYTE = _C1_TO_BYTE | _BYTE_OF

_TRAIL = "".join(re.escape(c) for c, b in _TO_BYTE.items() if 0x80 <= b <= 0xBF)
_SEQUENCE = re.compile(
    f"[\u00c2-\u00df][{_TRAIL}]|[\u00e0-\u00ef][{_TRAIL}]{{2}}|[\u00f0-\u00f4][{_TRAIL}]{{3}}",
)
_C1 = re.compile("[\x80-\x84\x86-\x9f]")
# `–` stands for byte 0x96 here; `â€“` and its kin are written by no language.
_SIGNATURE = re.compile("â€|Ã©|Ã¨|Ã¼|Ã¶|Ã¤|Ã±|Ã³|Ã¡|Ã§|Ã£|ï»¿|Ð°|Ð¾|Ñ‚")
_SUSPECT = re.compile(f"[\u00c2-\u00f4][{_TRAIL}]")
_CYRILLIC_IMAGE = re.compile("[РС][\u0402-\u040f\u0452-\u045f\u00a0-\u00bb†-™Ђ-џ]")


def repair(text: str) -> str:
    """The text with every misread sequence put right; the same object where there is none."""
    if text.isascii():
        return text
    text = _in_lines(text, _SUSPECT, _repair_line)
    if _C1.search(text):
        text = text.translate(_C1_TEXT)
    return _in_lines(text, _CYRILLIC_IMAGE, _repair_cyrillic)


def _in_lines(text: str, suspect: re.Pattern[str], mend: Callable[[str], str]) -> str:
    """Mend the lines that hold a match; a line ends at a line feed only, U+0085 is the image of a letter here."""
    parts = []
    done = 0
    for match in suspect.finditer(text):
        if match.start() < done:
            continue
        start = text.rfind("\n", done, match.start()) + 1 or done
        end = text.find("\n", match.end())
        end = len(text) if end < 0 else end
        parts += [text[done:start], mend(text[start:end])]
        done = end
    return "".join((*parts, text[done:])) if parts else text


def _repair_line(line: str) -> str:
    """Put one line right if misread sequences are most of what it holds beyond ASCII."""
    found = [match for match in _SEQUENCE.finditer(line) if _original(match)]
    if not found:
        return line
    beyond = sum(1 for c in line if c > "\x7f")
    covered = sum(len(match[0]) for match in found)
    # One sequence alone proves nothing unless it is a well-known one: `Â»` may close a quotation.
    if covered * 2 < beyond or (len(found) == 1 and not _SIGNATURE.search(line)):
        return line
    mended = _SEQUENCE.sub(lambda match: _original(match) or match[0], line)
    return mended.replace("â€", "”")  # byte 0x9D, the third of this one, is nothing in Windows-1252 and gets lost


def _original(match: re.Match[str]) -> str | None:
    """The one character whose UTF-8 bytes a match shows, or None where it is none that a text would hold."""
    before = match.string[max(0, match.start() - 2) : match.start()]
    try:
        char = bytes(_TO_BYTE[c] for c in match[0]).decode("utf-8")
    except UnicodeDecodeError:
        return None
    if len(before) == 2 and before.isascii() and before.isalpha() and before.isupper() and char.islower():
        return None  # MANHÃ» is a word in capitals and a quotation mark
    category = unicodedata.category(char)
    if category[0] == "C" and char not in "\ufeff\u200b\u200c\u200d\u200e\u200f\u00ad":
        return None
    return None if "\u0250" <= char <= "\u036f" else char  # phonetic letters and combining marks


def _repair_cyrillic(line: str) -> str:
    """Undo UTF-8 read as Windows-1251, for whole lines: Russian as it should be is never valid UTF-8 by chance."""
    if len(_CYRILLIC_IMAGE.findall(line)) < 3:
        return line
    try:
        return line.encode("cp1251").decode("utf-8")
    except UnicodeError:
        return line
