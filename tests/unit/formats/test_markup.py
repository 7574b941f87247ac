"""HTML to lines: blocks, roles, what is never shown."""

from __future__ import annotations

import pytest

from copydesk.formats.markup import lines_from_html, text_from_html


@pytest.mark.parametrize(
    ("fragment", "lines"),
    [
        ("<p>One <a href='x'>link</a> &amp; more</p><p>Two</p>", [("p", "One link & more"), ("p", "Two")]),
        ("one<br>two<br/><br/>three", [("p", "one"), ("p", "two"), ("p", "three")]),
        ("<h2>Head<br>line</h2>text", [("h2", "Head line"), ("p", "text")]),
        ("<ul><li>a<li><p>b</p></ul>", [("li", "a"), ("li", "b")]),
        ("<blockquote><p>q1<p>q2</blockquote>after", [("blockquote", "q1"), ("blockquote", "q2"), ("p", "after")]),
        ("<figure><img alt=x><figcaption>Cap</figcaption></figure>", [("figcaption", "Cap")]),
        ("<table><tr><th>h<td>1</table>", [("th", "h"), ("td", "1")]),
        ("<pre>a  b\n c</pre>", [("pre", "a  b"), ("pre", "c")]),
        ("<div>\n  spread\n  over lines\n</div>", [("p", "spread over lines")]),
        ("<p>be<b>for</b>e</p>", [("p", "before")]),
        ("<p>漢字<ruby>東京<rp>(</rp><rt>とうきょう</rt><rp>)</rp></ruby></p>", [("p", "漢字東京")]),
        ("<script>x()</script><style>y</style><p hidden>a</p><p style='display: none'>b</p><p>c</p>", [("p", "c")]),
        ("<p>a</p><!-- comment --><iframe>b</iframe><noscript>c</noscript>", [("p", "a")]),
        ("<button>Share</button><select><option>x</option></select>", []),
        ("no tag &quot;here&quot;\n\nR&D < 5", [("p", 'no tag "here"'), ("p", "R&D < 5")]),
        ("", []),
    ],
)
def test_blocks_become_lines_with_their_roles(fragment: str, lines: list[tuple[str, str]]) -> None:
    assert [(line.role, line.text) for line in lines_from_html(fragment)] == lines


@pytest.mark.parametrize(
    ("fragment", "text"),
    [
        ("A &amp;amp; B", "A &amp; B"),
        ("A &amp; B", "A & B"),
        ("<b>Bold</b>\n title", "Bold title"),
        ("1 < 2 > 0", "1 < 2 > 0"),
        ("R&D ?a=1&copy=2", "R&D ?a=1&copy=2"),
    ],
)
def test_a_title_is_one_line_without_tags(fragment: str, text: str) -> None:
    assert text_from_html(fragment) == text


@pytest.mark.parametrize("tag", ["div", "b", "blockquote", "span"])
def test_ten_thousand_open_elements_are_no_trouble(tag: str) -> None:
    (line,) = lines_from_html(f"<{tag}>" * 10_000 + "deep")

    assert line.text == "deep"
