"""Finds the publisher where no label gives it: its name stands in what the site says of itself, around the story.

Each name in a line that is no story gets points for where it stands: in a rights statement, in a second line, beside
its own host name, or for a word that papers have in their names. The best one counts where it has enough of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from copydesk.cleaning.guesses import looks_like_publisher
from copydesk.cleaning.lexis import Lexis
from copydesk.cleaning.normalise import has_digit
from copydesk.cleaning.patterns import is_paired, is_unspaced
from copydesk.cleaning.rulings import Ruling
from copydesk.cleaning.view import Block, fold_for
from copydesk.models import PieceClass

_ENOUGH = 3
_IN_RIGHTS, _IN_HOUSE, _PAPERS_WORD, _OWN_HOST, _AGAIN, _IN_PROMOTION = 3, 3, 2, 3, 1, 1
_LONGEST_WORDS, _LONGEST_PIECE = 6, 8
_LINES_OF_SITE = (
    "decision/among", "notices/comments", "notices/contact", "notices/house", "notices/note", "notices/promo",
    "notices/rights", "notices/share", "notices/site", "notices/wall", "signs/", "wording/",
)  # fmt: skip
_PROMOTION = ("notices/promo", "notices/wall", "notices/note", "wording/")
_TOKEN = re.compile(r"[^\W_][\w'’&.-]*|&|\S")
_LONGEST_JOINING = 5
_HOST = re.compile(r"(?:@|www\.|https?://(?:www\.)?)([\w-]{4,40})\.")
_QUOTED = re.compile(r"[«„“\"]([^«»„“”\"]{3,40})[»“”\"]")
_STOPS = "归歸由为為于於在经經给給入到是及與与和按の"
"""Characters that stand before a publisher's name and are no part of it."""
LEAD = "לل"
"""Prefixes that say "to" in Hebrew and Arabic: all rights are reserved to the paper."""


def find_masthead(rulings: Sequence[Ruling], people: Iterable[str]) -> str | None:
    """The name with the most points, None where none has enough; `people` are authors and photographers."""
    lines = [r for r in rulings if r.kind is PieceClass.RIGHTS or r.rule.startswith(_LINES_OF_SITE)]
    hosts = {_letters(host) for r in rulings for host in _HOST.findall(r.block.low)}
    known = {name.lower() for name in people}
    points: dict[str, int] = defaultdict(int)
    written: dict[str, str] = {}
    for ruling in lines:
        for name in dict.fromkeys(_names(ruling.block)):
            key = name.lower().removeprefix("the ")
            if key in known:
                continue
            if key not in written:
                written[key] = name
                low = fold_for(ruling.block.lexis, name)
                tells_case = name.lower() != name.upper() or is_paired(name)
                points[key] += _PAPERS_WORD * (tells_case and looks_like_publisher(name, low, ruling.block.lexis))
                points[key] += _OWN_HOST * (_letters(name) in hosts)
            else:
                points[key] += _AGAIN
            points[key] += _IN_RIGHTS if ruling.kind is PieceClass.RIGHTS else 0
            points[key] += _IN_HOUSE if ruling.rule == "notices/house" and ruling.block.text.startswith(name) else 0
            points[key] += _IN_PROMOTION if ruling.rule.startswith(_PROMOTION) else 0
    best = max(points, key=lambda key: (points[key], len(key)), default=None)
    return written[best] if best and points[best] >= _ENOUGH else None


def _letters(text: str) -> str:
    """`text` without signs and accents, as a host name writes it."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower().replace("ł", "l")) if c.isalnum())


def _names(block: Block) -> Iterator[str]:
    """What may be a publisher's name in a line, by the habits of its script."""
    if is_unspaced(block.text[0]) or block.is_unspaced or is_paired(block.text[:40]):
        yield from _unspaced_names(block)
        return
    yield from (match[1] for match in _QUOTED.finditer(block.text) if len(match[1].split()) <= _LONGEST_WORDS)
    if block.text.lower() == block.text.upper():
        yield from _names_behind_words(block)
    else:
        yield from _capitalised_names(block)


def _capitalised_names(block: Block) -> Iterator[str]:
    """Runs of words with a capital, small words between them; a word of notices ends a run."""
    vocabulary = block.lexis.vocabulary.words
    run: list[str] = []
    opens, run_opens, behind_other = True, False, False
    for word in (*_TOKEN.findall(_mask_phrases(block)), "."):
        low = fold_for(block.lexis, word)
        is_capital = word[0].isupper()
        if is_capital and low not in vocabulary and not has_digit(word) and not (behind_other and not run):
            run_opens = opens if not run else run_opens
            run.append(word)
        elif run and _joins(word, block.lexis):
            run.append(word)
        if run and run[-1] is word and not word.endswith("."):
            opens = False
            continue
        yield from _close_run(run, block.lexis, opens_sentence=run_opens)
        run = []
        behind_other = is_capital and not opens  # `Google News`: no name of its own
        opens = word[-1] in ".!?:|"


def _joins(word: str, lexis: Lexis) -> bool:
    """True for the small words inside names: `of`, `della`, `&`."""
    words = lexis.words
    is_small = word == "&" or (word.islower() and len(word) <= _LONGEST_JOINING)
    return is_small and any(word in words[kind] for kind in ("and", "common", "not_names", "particles"))


def _is_article(word: str) -> bool:
    return len(word) < _ENOUGH + 1


def _mask_phrases(block: Block) -> str:
    """The line with a stop in the place of each letter that belongs to a phrase of notices."""
    text = block.text
    for hit in block.hits:
        if hit.end - hit.start < len(text) / 2:
            text = text[: hit.start] + "." * (hit.end - hit.start) + text[hit.end :]
    return text


def _close_run(run: list[str], lexis: Lexis, *, opens_sentence: bool) -> Iterator[str]:
    if any(fold_for(lexis, word).strip(".,") in lexis.words["company_forms"] for word in run):
        return  # the company, not its paper
    while run and _joins(run[-1], lexis):
        run.pop()
    while run and fold_for(lexis, run[0]) in lexis.words["not_names"] and len(run) > 1 and not _is_article(run[0]):
        run.pop(0)
    if len(run) == 1 and opens_sentence:
        return  # any word has a capital there
    name = " ".join(run).strip(".,")
    if not name or len(run) > _LONGEST_WORDS or len(name) < _ENOUGH or name.lower().endswith(("'s", "’s")):
        return
    if len(run) == 1 and (fold_for(lexis, name) in lexis.words["not_names"] or _is_article(name)):
        return
    yield name


def _unspaced_names(block: Block) -> Iterator[str]:
    """What ends with a paper's word, from the last pair of characters that notices are made of: `加入東濱時報`."""
    vocabulary = block.lexis.vocabulary.words
    for closer in block.lexis.words["publishers"].closers:
        end = block.low.find(closer)
        while end >= 0:
            start = end
            while (
                start > 0
                and end - start < _LONGEST_PIECE - len(closer)
                and (is_paired(block.text[start - 1]))
                and block.low[start - 1 : start + 1] not in vocabulary
                and block.text[start - 1] not in _STOPS
            ):
                start -= 1
            name = block.text[start : end + len(closer)]
            if start < end:
                yield name
            end = block.low.find(closer, end + 1)


def _names_behind_words(block: Block) -> Iterator[str]:
    """In scripts without capitals: a paper's word and the two words behind it, as far as they are no notice's."""
    publishers, vocabulary = block.lexis.words["publishers"], block.lexis.vocabulary.words
    for piece in re.split(r"[.,،؛:|()\[\]©।]+", _mask_phrases(block)):
        words = piece.split()
        for place, word in enumerate(words):
            bare = word[1:] if word[0] in LEAD and fold_for(block.lexis, word[1:]) in publishers else word
            if fold_for(block.lexis, bare) not in publishers:
                continue
            behind = []
            for other in words[place + 1 : place + 3]:
                low = fold_for(block.lexis, other)
                if low in vocabulary or low in block.lexis.words["not_names"] or low in block.lexis.words["common"]:
                    break
                behind.append(other)
            if behind:
                yield " ".join((bare, *behind))
