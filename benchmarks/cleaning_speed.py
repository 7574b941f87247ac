"""How fast texts are cleaned: documents a second of CPU time on one core, with the share of each stage.

    python -m benchmarks.cleaning_speed [--count 100] [--size 3000]

The texts are made of the project's own cases, language by language: a case's head and foot as they stand, and between
them its paragraphs with their words in another order until the text has the wanted size. So the notices of one desk
come back, as they do in a newsroom; the line "nothing remembered" gives the figure with all that the engine keeps from
line to line forgotten before each text. trafilatura and jusText run on the same texts, wrapped in the smallest page.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from copydesk import formats, pipeline
from copydesk.cleaning import EMPTY_PROFILE, Rules, load_rules
from copydesk.cleaning.assembly import Context, assemble
from copydesk.cleaning.decision import decide
from copydesk.cleaning.engine import build_view
from copydesk.cleaning.memory import forget
from copydesk.cleaning.recognisers import recognise_all
from copydesk.cleaning.rules import prepare
from copydesk.cleaning.sender import overrule
from copydesk.models import Hints, RawItem

_CASES = Path(__file__).parents[1] / "tests" / "cases" / "text"
_RECEIVED_AT = datetime(2026, 1, 1, tzinfo=UTC)
_PARAGRAPH = 120
"""Bytes from which a line of a case is a paragraph, not head or foot."""


def make_texts(count: int, size: int) -> list[bytes]:
    """`count` texts of about `size` bytes, the languages of the cases in turn."""
    random_ = random.Random(7)
    by_language: dict[str, list[list[str]]] = {}
    for path in sorted(_CASES.glob("*/input.txt")):
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        if sum(_is_paragraph(line) for line in lines) >= 2:
            by_language.setdefault(path.parent.name.partition("-")[0], []).append(lines)
    languages = sorted(by_language)
    return [
        _stretch(random_.choice(by_language[languages[number % len(languages)]]), size, random_)
        for number in range(count)
    ]


def _is_paragraph(line: str) -> bool:
    return len(line.encode()) >= _PARAGRAPH


def _stretch(lines: Sequence[str], size: int, random_: random.Random) -> bytes:
    """The lines with new paragraphs in the place of the old ones, of the same words."""
    paragraphs = [line for line in lines if _is_paragraph(line)]
    first = next(i for i, line in enumerate(lines) if _is_paragraph(line))
    head = lines[:first]
    foot = [line for line in lines[first:] if not _is_paragraph(line)]
    missing = size - sum(len(line.encode()) + 1 for line in (*head, *foot))
    story: list[str] = []
    while missing > 0:
        words = random_.choice(paragraphs).rstrip(".。।").split(" ")
        random_.shuffle(words)
        story.append(" ".join(words) + ("。" if words[0][:1] > "\u2e80" else "."))
        missing -= len(story[-1].encode()) + 1
    return "\n".join([*head, *story, *foot]).encode() + b"\n"


def _measure(work: Callable[[bytes], object], texts: Sequence[bytes]) -> float:
    """CPU seconds for all texts."""
    start = time.process_time()
    for text in texts:
        work(text)
    return time.process_time() - start


def _run_stages(texts: Sequence[bytes], rules: Rules) -> dict[str, float]:
    """CPU seconds by stage."""
    spent: dict[str, float] = {}
    clock = time.process_time

    def note(stage: str, since: float) -> float:
        now = clock()
        spent[stage] = spent.get(stage, 0.0) + now - since
        return now

    for data in texts:
        at = clock()
        parsed = formats.parse(data, Hints())[0]
        at = note("parse", at)
        view = build_view(parsed, rules, Hints(), EMPTY_PROFILE)
        at = note("view: lines, language, phrases", at)
        marks = recognise_all(view, rules)
        at = note("recognise", at)
        decision = overrule(decide(view, marks), EMPTY_PROFILE)
        at = note("decide", at)
        assemble(view, decision, Context(EMPTY_PROFILE, Hints(), rules, _RECEIVED_AT))
        note("assemble", at)
    return spent


def _peers() -> dict[str, Callable[[bytes], object]]:
    """The peers that are installed, each from the bytes of a text."""
    found: dict[str, Callable[[bytes], object]] = {}

    def page(data: bytes) -> str:
        paragraphs = "".join(f"<p>{escape(line)}</p>" for line in data.decode().splitlines() if line.strip())
        return f"<html><body><article>{paragraphs}</article></body></html>"

    try:
        import trafilatura

        found["trafilatura"] = lambda data: trafilatura.extract(page(data))
    except ImportError:
        print("trafilatura is not installed")
    try:
        import justext

        stoplist = justext.get_stoplist("English")
        found["jusText (English stop words)"] = lambda data: justext.justext(page(data), stoplist)
    except ImportError:
        print("jusText is not installed")
    return found


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--count", type=int, default=500)
    options.add_argument("--size", type=int, default=3000)
    args = options.parse_args()
    rules = load_rules()
    prepare(rules)
    texts = make_texts(args.count, args.size)
    print(f"{len(texts)} texts of {sum(map(len, texts)) // len(texts)} bytes")

    def clean(data: bytes) -> object:
        item = RawItem(data, "inbox", _RECEIVED_AT, Hints())
        return pipeline.clean(formats.parse(data, item.hints)[0], item, rules)

    def clean_anew(data: bytes) -> object:
        forget()
        return clean(data)

    def process(data: bytes) -> object:
        return pipeline.process(RawItem(data, "inbox", _RECEIVED_AT, Hints()), rules)

    _measure(clean, texts)  # phrases are compiled when they are first tried
    works = {"parse and clean": clean, "... nothing remembered": clean_anew, "... with identity": process, **_peers()}
    for name, work in works.items():
        seconds = _measure(work, texts)
        print(f"{name:32} {len(texts) / seconds:8.0f} documents/s  {1e6 * seconds / len(texts):8.0f} us each")
    spent = _run_stages(texts, rules)
    whole = sum(spent.values())
    for stage, seconds in sorted(spent.items(), key=lambda entry: -entry[1]):
        print(f"  {stage:30} {seconds / whole:6.0%} {1e6 * seconds / len(texts):8.0f} us")


if __name__ == "__main__":
    main()
