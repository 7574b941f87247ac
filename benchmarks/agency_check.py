"""How many agency files end as the right kind, their text items with headline, body, time, byline, rights and id.

    python -m benchmarks.agency_check [--verbose] [FOLDER]

What is right is read out of each file by name alone, without copydesk's readers: the type or class that it states,
its id, headline, byline, copyright notice and times, and the first words of each body. A file of another kind (a
schema) passes when it is refused. FOLDER holds files with the endings .json and .xml; else the open corpus is taken.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from benchmarks.score_hooks import agency

CORPUS = Path(os.environ.get("COPYDESK_SHARED", "../shared")) / "corpora" / "agency"
NO_ARTICLE = {"packageitem", "conceptitem", "knowledgeitem", "planningitem", "catalogitem", "groupset"}
TIMES = ("firstcreated", "versioncreated", "contentcreated", "date.issue", "date.release")


def expect_json(item: dict[str, Any]) -> dict[str, Any]:
    """What an item of ninjs states."""
    said = {name.lower(): value for name, value in item.items()}
    kind = said.get("type") or ("event" if "eventdetails" in said else "text")
    listed = [entry["value"] for entry in said.get("bodies", ()) if "value" in entry]
    named = [value for name, value in said.items() if name.startswith("body_") and isinstance(value, str)]
    heads = [e["value"] for e in said.get("headlines", ()) if e.get("role") in (None, "main", "simple")]
    heads += [value for name, value in said.items() if name in ("headline", "headline_main")]
    return {
        "kind": kind,
        "id": said.get("uri"),
        "title": heads[:1],
        "byline": said.get("byline") or said.get("by"),
        "rights": [said[name] for name in ("copyrightnotice", "usageterms") if said.get(name)],
        "times": [said[name] for name in TIMES if said.get(name)],
        "bodies": listed + named,
    }


def expect_xml(item: ElementTree.Element) -> dict[str, Any]:
    """What an item of NewsML-G2 or NITF states."""
    name = _local(item)
    found: dict[str, list[ElementTree.Element]] = {}
    for element in item.iter():
        found.setdefault(_local(element), []).append(element)
    kind = re.split("[:/]", next((e.get("qcode", "") for e in found.get("itemclass", ())), "text"))[-1]
    if name in NO_ARTICLE:
        kind = name.removesuffix("item").replace("groupset", "package")
    elif "eventdetails" in found:
        kind = "event"
    headlines = [e for meta in found.get("contentmeta", ()) for e in meta if _local(e) == "headline"]
    bodies = [_text(e) for tag in ("inlinexml", "inlinedata", "body.content") for e in found.get(tag, ())]
    return {
        "kind": kind,
        "id": item.get("guid") or next((e.get("id-string") for e in found.get("doc-id", ())), None),
        "title": [_text(e) for e in headlines or found.get("hl1", ())][:1],
        "byline": next((_text(e) for tag in ("by", "byline") for e in found.get(tag, ())), None),
        "rights": [_text(e) for e in found.get("copyrightnotice", ())[:1] if _text(e)],
        "times": [e.get("norm") or _text(e) for tag in TIMES for e in found.get(tag, ())],
        "bodies": [body for body in bodies if body],
    }


def expectations(data: bytes) -> list[dict[str, Any]] | None:
    """One expectation an item; None for a file that holds none."""
    if data.lstrip()[:1] in b"{[":
        value = json.loads(data)
        items = value if isinstance(value, list) else [value]
        return None if any("$schema" in item for item in items) else [expect_json(item) for item in items]
    # Some listings are cut out of a document that declared the prefix.
    text = re.sub(rb"\sxsi:\w+=\"[^\"]*\"", b"", data)
    root = ElementTree.fromstring(text)  # noqa: S314 - files of a corpus that one has chosen oneself
    if _local(root) == "newsmessage":
        return [expect_xml(item) for item_set in root for item in item_set if _local(item_set) == "itemset"]
    return [expect_xml(root)]


def faults_of(found: dict[str, Any], wanted: dict[str, Any]) -> Iterator[str]:
    """Where an answer differs from what its file states."""
    is_text = wanted["kind"] in ("text", "composite") and bool(wanted["bodies"])
    if found["kind"] != wanted["kind"]:
        yield f"kind {found['kind']!r}, stated {wanted['kind']!r}"
    if (found["outcome"] == "stored") is not is_text and not found["text"]:
        yield f"{found['outcome']}: {found['reason']}"
    if wanted["id"] and found["id"] != wanted["id"]:
        yield f"id {found['id']!r}"
    if wanted["title"] and _letters(wanted["title"][0]) != _letters(found["title"] or ""):
        yield f"title {found['title']!r}"
    stamps = {_moment(found[name]) for name in ("published_at", "updated_at") if found[name]}
    if wanted["times"] and not stamps & {_moment(stamp) for stamp in wanted["times"]}:
        yield f"times {stamps}"
    if any(_letters(notice) not in _letters(" ".join(found["rights"])) for notice in wanted["rights"]):
        yield f"rights {found['rights']}"
    if wanted["byline"] and not any(_letters(name) in _letters(wanted["byline"]) for name in found["authors"]):
        yield f"byline {found['authors']}, stated {wanted['byline']!r}"
    headline = _letters(found["title"] or "")
    # A body may begin with the headline, which is no part of the text.
    openings = [_letters(re.sub("<[^>]*>", "", body)).removeprefix(headline)[:20] for body in wanted["bodies"]]
    if is_text and not any(opening in _letters(found["text"]) for opening in openings):
        yield f"body {found['text'][:60]!r}"


def check(path: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """What came of a file, and its faults."""
    data = path.read_bytes()
    found = agency(data, path.name)
    wanted = expectations(data)
    if wanted is None:
        return found, [] if found[0]["outcome"] == "rejected" else ["taken for an item"]
    if len(found) != len(wanted):
        return found, [f"{len(found)} items of {len(wanted)}"]
    return found, [fault for one, said in zip(found, wanted, strict=True) for fault in faults_of(one, said)]


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2].lower()


def _text(element: ElementTree.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _moment(stamp: str) -> datetime | str:
    try:
        return datetime.fromisoformat(stamp.strip())
    except ValueError:
        return stamp


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=CORPUS)
    parser.add_argument("--verbose", action="store_true", help="print what came of each file")
    arguments = parser.parse_args()
    if not arguments.folder.is_dir():
        print(f"no corpus at {arguments.folder}: set COPYDESK_SHARED")
        return 2
    passed = total = 0
    started = time.process_time()
    for path in sorted(p for p in arguments.folder.rglob("*") if p.suffix in {".json", ".xml"}):
        found, faults = check(path)
        total += 1
        passed += not faults
        name = path.relative_to(arguments.folder)
        if arguments.verbose:
            for one in found:
                print(f"{name}: {one['outcome']}, {one['kind']}: {one.get('title') or one.get('reason')}")
        if faults:
            print(f"{name}: {'; '.join(faults)}")
    seconds = time.process_time() - started
    print(
        f"{passed} of {total} agency files as they state ({100 * passed / max(total, 1):.1f} %), {seconds:.1f} s of CPU"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
