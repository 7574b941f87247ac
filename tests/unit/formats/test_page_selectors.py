"""A sender's own CSS selectors, from its profile to what a page is read as."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from copydesk import formats, pipeline
from copydesk.cleaning import load_rules
from copydesk.cleaning.profiles import load_profiles
from copydesk.errors import LexiconError, MalformedInput
from copydesk.models import Document, Hints, RawItem

PAGE = """<html><head><title>Bridge to close | Gazette</title></head><body>
<h1 class="kicker">Gazette</h1><h2 class="head">The old bridge closes on Monday</h2>
<div class="who"><span class="name">Ann Lee</span><span class="name">Bo Ek</span></div>
<time datetime="2026-05-25T09:30:00+02:00">this morning</time>
<div class="teaser"><p>A walrus was seen on the pier on Sunday, the harbour master said to our reporter.</p></div>
<div class="odd"><div class="story"><p>The council voted on Monday to close the old bridge for good.</p>
<div class="story"><p>Engineers had found cracks in two of its piers.</p></div></div>
<div class="poll"><p>Should the bridge be closed? Vote here now.</p></div></div></body></html>"""

SELECTORS = """
name = "gazette"
[page]
body = [".missing", "div.story"]
title = "h2.head"
author = ".who .name"
date = "time"
drop = [".poll", ".teaser"]
"""


def read(folder: Path, profile: str, page: str = PAGE) -> Document:
    (folder / "gazette.toml").write_text(profile, encoding="utf-8")
    item = RawItem(page.encode(), "gazette", datetime(2026, 6, 1, tzinfo=UTC), Hints(media_type="text/html"))
    (processed,) = pipeline.process(item, load_rules([folder]))
    assert processed.document
    return processed.document


def test_selectors_stand_over_all_that_is_known_of_a_page(tmp_path: Path) -> None:
    found = read(tmp_path, SELECTORS)

    assert found.title == "The old bridge closes on Monday"
    assert found.authors == ("Ann Lee", "Bo Ek")
    assert found.published_at == "2026-05-25T09:30:00+02:00"
    assert found.body == (
        "The council voted on Monday to close the old bridge for good.",
        "Engineers had found cracks in two of its piers.",
    )
    assert found.warnings == ()


def test_a_page_without_what_they_look_for_is_read_as_any_other_with_a_warning(tmp_path: Path) -> None:
    page = PAGE.replace('class="story"', 'class="renamed"')
    found = read(tmp_path, SELECTORS, page)

    assert "The council voted on Monday to close the old bridge for good." in found.body
    assert "page_selector_met_nothing" in found.warnings


def test_a_forced_encoding_stands_over_a_wrong_declaration(tmp_path: Path) -> None:
    (tmp_path / "gazette.toml").write_text('name = "gazette"\nencoding = "cp1251"', encoding="utf-8")
    text = "Паром вернулся\n\nПаром снова вышел в море в понедельник, сообщил городской совет острова.\n"
    hints = Hints(media_type="text/plain", encoding="cp1252")
    item = RawItem(text.encode("cp1251"), "gazette", datetime(2026, 6, 1, tzinfo=UTC), hints)
    (processed,) = pipeline.process(item, load_rules([tmp_path]))

    assert processed.document
    assert (processed.document.title, processed.document.encoding) == ("Паром вернулся", "cp1251")


@pytest.mark.parametrize("page", ['body = "div["', "body = 1", 'story = "p"', "body = []"])
def test_a_wrong_selector_is_refused_when_the_profile_is_read(tmp_path: Path, page: str) -> None:
    (tmp_path / "a.toml").write_text(f'name = "a"\n[page]\n{page}\n', encoding="utf-8")

    with pytest.raises(LexiconError, match="page"):
        load_profiles(tmp_path / "a.toml")


def test_a_wrong_selector_that_came_with_a_page_rejects_that_page() -> None:
    with pytest.raises(MalformedInput, match="selector"):
        formats.parse(PAGE.encode(), Hints(media_type="text/html", page={"body": ["div["]}))
