"""How many files of the open feed corpus are read as their own expectation says.

    python benchmarks/feeds_check.py [--verbose]

A file passes when it is read (or refused, where it holds no feed), gives as many candidates as it has items, shows no
sign of a wrong charset, and agrees with the expectation in its own first comment as far as that speaks of a field
that copydesk reads. Only feed files are taken: JSON Feed, sitemaps and OPML are other formats.
"""

from __future__ import annotations

import argparse
import ast
import codecs
import os
import re
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.score_hooks import feed
from copydesk.errors import CopydeskError
from copydesk.formats import encoding, markup

CORPUS = Path(os.environ.get("COPYDESK_SHARED", "../shared")) / "corpora" / "feeds"
ITEM = re.compile(r"<(?:\w+:)?(?:item|entry)[\s>/]", re.IGNORECASE)
EXPECTED = re.compile(
    r"entries\[(\d+)\]((?:\[(?:'\w+'|\d+)\])+)\s*==\s*(u?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\(.*?\)))"
)


def read_value(item: dict[str, Any], path: str) -> object:
    """What copydesk has for a feedparser path such as `['author_detail']['name']`; KeyError where it reads none."""
    body = " ".join(item["text"].split())
    authors = item["authors"]
    return {
        "['title']": item["title"],
        "['title_detail']['value']": item["title"],
        "['link']": item["url"],
        "['id']": item["id"],
        "['guid']": item["id"],
        "['summary']": body,
        "['description']": body,
        "['summary_detail']['value']": body,
        "['content'][0]['value']": body,
        "['content'][0]['language']": item["language"],
        "['title_detail']['language']": item["language"],
        "['rights']": " ".join(item["rights"]),
        "['author']": " ".join(authors),
        "['author_detail']['name']": " ".join(authors),
        "['authors'][0]['name']": (*authors, "")[0],
        "['authors'][1]['name']": (*authors, "", "")[1],
        "['source']['title']": item["publisher"],
        "['publisher']": item["publisher"],
        "['published_parsed']": _moment(item["published_at"]),
        "['updated_parsed']": _moment(item["updated_at"] or item["published_at"]),
    }[path]


def check(path: Path) -> list[str] | None:
    """The faults of one file, None where it is no feed file."""
    data = path.read_bytes()
    head = encoding.decode(data).text
    if re.search(r"<(urlset|sitemapindex|opml)[\s>]", head) or path.suffix not in {".xml", ".rss", ".atom"}:
        return None
    header = re.search(r"Header:\s*Content-type:\s*(.+)", head, re.IGNORECASE)
    if "-->" in head and not re.sub(r"<!--.*?-->|<\?.*?\?>", "", head, flags=re.DOTALL).strip():
        return None
    expectation = (re.search(r"Expect:\s*(.+?)\s*(?:\n|-->)", head) or ["", ""])[1]
    faults: list[str] = []
    try:
        items = feed(data, {"content-type": header[1].strip()} if header else {}, "")
    except CopydeskError as error:
        return [f"{error.code}: {error}"]
    in_file = len(ITEM.findall(re.sub(r"<!--.*?-->|<items.*?</items>", "", head, flags=re.DOTALL)))
    if len(items) != in_file:
        faults.append(f"{len(items)} candidates, {in_file} items")
    shown = "".join(map(str, (value for item in items for value in item.values())))
    if "\ufffd" in shown or re.search("[\x80-\x9f]|Ã[\x80-\xbf]|â€", shown):
        faults.append("mojibake")
    faults.extend(_disagreements(items, expectation))
    return faults


def _disagreements(items: list[dict[str, Any]], expectation: str) -> Iterator[str]:
    charset = re.search(r"encoding == '([^']+)'", expectation)
    if charset and items and codecs.lookup(charset[1]).name != codecs.lookup(items[0]["encoding"] or "").name:
        yield f"encoding {items[0]['encoding']}, expected {charset[1]}"
    for number, path, literal in EXPECTED.findall(expectation):
        try:
            wanted = ast.literal_eval(literal)
            found = read_value(items[int(number)], path)
        except (KeyError, IndexError, ValueError, SyntaxError):
            continue
        if isinstance(wanted, str):
            found = " ".join(str(found or "").split())
            wanted = found if found == " ".join(wanted.split()) else markup.text_from_html(wanted)
            # feedparser's `author` holds name and address; copydesk keeps names.
            if path == "['author']":
                wanted = re.sub(r"\s*\(?[^\s()]+@[^\s()]+\)?\s*", "", wanted).strip("() ")
        if wanted != found:
            yield f"{path}: {found!r}, expected {wanted!r}"


def _moment(text: str | None) -> tuple[int, ...] | None:
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return tuple(moment.utctimetuple())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--verbose", action="store_true", help="print each file that does not pass")
    verbose = parser.parse_args().verbose
    if not CORPUS.is_dir():
        print(f"no corpus at {CORPUS}: set COPYDESK_SHARED")
        return 2
    passed = total = size = 0
    started = time.process_time()
    for path in sorted(CORPUS.rglob("*")):
        if not path.is_file():
            continue
        faults = check(path)
        if faults is None:
            continue
        total += 1
        size += path.stat().st_size
        passed += not faults
        if faults and verbose:
            print(f"{path.relative_to(CORPUS)}: {'; '.join(faults)}")
    seconds = time.process_time() - started
    print(f"{passed} of {total} feed files as expected ({100 * passed / total:.1f} %), {size / 1e6 / seconds:.2f} MB/s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
