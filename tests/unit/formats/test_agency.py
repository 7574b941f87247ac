"""What agency formats make of status, embargo and times, and of any tree of their own names."""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from copydesk.errors import CopydeskError, MalformedInput
from copydesk.formats import agency, newsml_1, newsml_g2, ninjs, nitf, xml_tree
from copydesk.models import Hints, Status
from tests.unit.formats.test_properties import check

TEXTS = st.sampled_from(
    ["", " ", "a", "Dockers walk out", "usable", "canceled", "text", "picture", "2024-05-14T10:15:00Z"]
)
ANY_TEXT = st.one_of(TEXTS, st.text(max_size=20))
NAMES = [
    "uri", "type", "version", "versionCreated", "headline", "headlines", "bodies", "body_xhtml", "body_nitf", "value",
    "role", "contentType", "associations", "descriptions", "pubStatus", "embargoed", "subject", "name", "infosources",
    "rightsinfo", "authors", "altids", "keywords", "language", "renditions", "by", "ednote", "standard",
]  # fmt: skip
VALUES = st.one_of(ANY_TEXT, st.none(), st.booleans(), st.integers(), st.floats(), st.just("<nitf><body/></nitf>"))
ITEMS = st.dictionaries(
    st.sampled_from(NAMES),
    st.recursive(
        VALUES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
        max_leaves=12,
    ),
    max_size=12,
)
ELEMENTS = [
    "nitf", "head", "docdata", "doc-id", "body", "body.head", "hedline", "hl1", "byline", "person", "body.content", "p",
    "media", "media-caption", "note", "date.release", "ed-msg", "du-key", "newsItem", "itemMeta", "contentMeta", "name",
    "NewsItem", "NewsComponent", "ContentItem", "DataContent", "Role", "NewsLines",
    "contentSet", "inlineXML", "inlineData", "embargoed", "pubStatus", "headline", "by", "rightsInfo", "itemSet",
    "copyrightHolder", "events", "html", "table", "br",
]  # fmt: skip
ATTRIBUTES = [
    "guid",
    "version",
    "id-string",
    "norm",
    "qcode",
    "msg-type",
    "contenttype",
    "xml:lang",
    "management-status",
]


def _element(name: str, attributes: dict[str, str], inner: list[str]) -> str:
    said = "".join(f" {key}={quoteattr(xml_tree.one_line(value))}" for key, value in attributes.items())
    return f"<{name}{said}>{''.join(inner)}</{name}>"


TREES = st.recursive(
    ANY_TEXT.map(escape),
    lambda inner: st.builds(
        _element,
        st.sampled_from(ELEMENTS),
        st.dictionaries(st.sampled_from(ATTRIBUTES), ANY_TEXT, max_size=3),
        st.lists(inner, max_size=5),
    ),
    max_leaves=40,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(ITEMS, st.lists(ITEMS, max_size=3)))
def test_any_json_of_its_names_is_items_or_our_error(value: Any) -> None:
    try:
        found = ninjs.parse(json.dumps(value).encode(), Hints())
    except CopydeskError:
        return

    for parsed in found:
        check(parsed)


@pytest.mark.parametrize("module", [nitf, newsml_g2, newsml_1])
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tree=TREES, root=st.sampled_from(["nitf", "newsItem", "newsMessage", "NewsML"]))
def test_any_tree_of_its_names_is_items_or_our_error(module: Any, tree: str, root: str) -> None:
    try:
        found = module.parse(f"<{root}>{tree}</{root}>".encode("utf-8", "surrogatepass"), Hints())
    except CopydeskError:
        return

    for parsed in found:
        check(parsed)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("stat:usable", Status.USABLE),
        ("stat:canceled", Status.CANCELED),
        ("http://cv.iptc.org/newscodes/pubstatusg2/withheld", Status.WITHHELD),
        ("Cancelled", Status.CANCELED),
        ("", Status.USABLE),
        ("stat:somethingnew", Status.USABLE),
    ],
)
def test_a_status_is_told_by_the_end_of_its_code(said: str, status: Status) -> None:
    assert agency.status_of(said) is status


@pytest.mark.parametrize(
    ("said", "zone", "end"),
    [
        ("2024-05-16T08:00:00+02:00", None, "2024-05-16T06:00:00+00:00"),
        ("20240516T060000Z", None, "2024-05-16T06:00:00+00:00"),
        ("2024-05-16T08:00:00", "Europe/Berlin", "2024-05-16T06:00:00+00:00"),
        ("2024-05-16T08:00:00", None, "2024-05-16T20:00:00+00:00"),
        ("2024-05-16T08:00:00", "Nowhere/At_All", "2024-05-16T20:00:00+00:00"),
        ("2024-05-16", None, "2024-05-16T12:00:00+00:00"),
        ("noon", None, None),
        ("0001-01-02T00:00:00", None, None),
        ("9999-12-31T23:59:59-05:00", None, None),
    ],
)
def test_an_embargo_ends_at_one_moment_for_all(said: str, zone: str | None, end: str | None) -> None:
    assert agency.embargo(said, Hints(zone=zone)) == end


def test_a_tree_with_too_many_elements_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_tree, "ELEMENTS_MAX", 100)
    with pytest.raises(MalformedInput, match="more than 100 elements"):
        nitf.parse(b"<nitf>" + b"<p/>" * 100 + b"</nitf>", Hints())


def test_an_ampersand_that_is_no_reference_stays() -> None:
    data = (
        b"<nitf><body><body.content><p>R&D at AT&T, up 3 &#37; &mdash; <![CDATA[A&B]]></p></body.content></body></nitf>"
    )
    (parsed,) = nitf.parse(data, Hints())

    assert [line.text for line in parsed.lines] == ["R&D at AT&T, up 3 % \u2014 A&B"]
    assert parsed.warnings == ("ill_formed_xml",)


def test_entities_expand_neither_in_text_nor_in_attributes() -> None:
    steps = "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12))
    head = "<head><docdata><doc-id id-string='n&a11;'/></docdata></head>"
    text = f"{head}<body><body.content><p>w&a11;</p></body.content></body>"
    data = f"<!DOCTYPE nitf [<!ENTITY a0 'lol'>{steps}]><nitf>{text}</nitf>"
    (parsed,) = nitf.parse(data.encode(), Hints())

    assert ([line.text for line in parsed.lines], parsed.fields.guid) == (["w"], "n")
    assert parsed.warnings == ("entities_dropped",)


def test_a_document_type_that_hides_another_is_refused() -> None:
    data = b"<!DOCTYPE nitf [<!ENTITY x ']><!DOCTYPE nitf [<!ENTITY a \"lol\">'>]><nitf><body>&a;</body></nitf>"
    with pytest.raises(MalformedInput):
        nitf.parse(data, Hints())
