"""The docs as a site: it builds without a warning, loads nothing from elsewhere, and says what is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT

DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built strictly: a dead link, an anchor that is not there or a page without its place is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_built_and_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = {path.relative_to(site).as_posix() for path in site.rglob("*.html")} - {"404.html"}
    sources = {path.relative_to(DOCS).with_suffix(".html").as_posix() for path in DOCS.rglob("*.md")}
    loaded = {
        address
        for page in pages
        for address in re.findall(
            r"""(?:<script[^>]*\ssrc|<link[^>]*rel="(?:stylesheet|preconnect|icon)"[^>]*\shref|<img[^>]*\ssrc)=["']?(https?:)?//""",
            (site / page).read_text(encoding="utf-8"),
        )
    }

    assert pages == {name.replace("README.html", "index.html") for name in sources}
    assert loaded == set()


def test_every_decision_is_listed() -> None:
    listed = re.findall(r"\]\((0\d{3}-[\w-]+\.md)\)", (DOCS / "decisions" / "README.md").read_text(encoding="utf-8"))

    assert listed == sorted(path.name for path in (DOCS / "decisions").glob("0*.md"))


def test_every_attack_was_tried_by_a_test_that_there_is() -> None:
    """`tests/…::name` in the threat model names a test of the suite."""
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", (DOCS / "security.md").read_text(encoding="utf-8"))

    assert len(named) > 20
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (ROOT / file).is_file() or (name and f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8"))
    ]
    assert missing == []
