"""Loading of rule files: what is wrong is named, and the version follows the data."""

from __future__ import annotations

from pathlib import Path

import pytest

from copydesk.cleaning import load_rules
from copydesk.cleaning.lexicon import load_lexicon
from copydesk.cleaning.profiles import load_profiles
from copydesk.errors import LexiconError

SHIPPED = Path(load_lexicon.__code__.co_filename).parent / "lexicons"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('language = "xx', "xx.toml"),
        ('name = "X"', "language"),
        ('language = "xx"\ncolour = 1', "colour"),
        ('language = "xx"\norder = "ydm"', "order"),
        ('language = "xx"\n[notices]\nrites = ["a b"]', "notices.rites"),
        ('language = "xx"\n[notices]\nrights = ["all (rights"]', "notices.rights"),
        ('language = "xx"\n[notices]\nrights = ["a b", "a b"]', "notices.rights"),
        ('language = "xx"\n[notices]\nrights = "a b"', "notices.rights"),
        ('language = "xx"\n[roles.cooks]\ncolon = ["cook"]', "roles.cooks"),
        ('language = "xx"\n[roles.authors]\nbeside = ["by"]', "roles.authors"),
        ('language = "xx"\n[words]\nnouns = ["a"]', "words.nouns"),
        ('language = "xx"\n[dates.months]\ngregorian = ["jan"]', "dates.months.gregorian"),
        ('language = "xx"\n[dates.months]\nmayan = ["pop"]', "dates.months.mayan"),
        ('language = "xx"\n[eras]\nold = "1912"', "eras.old"),
        ("language = \"xx\"\n[dateline]\npatterns = ['(?P<line>a+)']", "dateline.patterns"),
        ("language = \"xx\"\n[dateline]\npatterns = ['a{1,3}']", "dateline.patterns"),
        ('language = "xx"\nvariants = "abc"', "variants"),
    ],
)
def test_a_wrong_lexicon_names_file_key_and_reason(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "xx.toml"
    path.write_text(text, "utf-8")

    with pytest.raises(LexiconError) as caught:
        load_lexicon(path)
    assert "xx.toml" in caught.value.subject
    assert key in caught.value.subject
    assert caught.value.detail


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('zone = "Asia/Shanghai"', "name"),
        ('name = "X"\nzone = "Asia/Nowhere"', "zone"),
        ('name = "X"\ncity = "Y"', "city"),
        ('name = "X"\naliases = "Y"', "aliases"),
        ('name = "X"\nrules = [{action = "drop", match = "regex", text = "a+"}]', "rules"),
        ('name = "X"\nrules = [{action = "burn", match = "exact", text = "a"}]', "rules"),
        ('name = "X"\nrules = [{action = "drop", text = "a"}]', "rules"),
    ],
)
def test_a_wrong_profile_names_file_key_and_reason(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "desk.toml"
    path.write_text(text, "utf-8")

    with pytest.raises(LexiconError) as caught:
        load_profiles(path)
    assert "desk.toml" in caught.value.subject
    assert key in caught.value.subject


def test_a_publisher_is_found_by_any_of_its_names() -> None:
    rules = load_rules()

    assert rules.publisher("China News Network").zone == "Asia/Shanghai"
    assert rules.publisher("the associated press").agency
    assert rules.publisher("中新网").name == rules.publisher("China News Service").name
    assert rules.publisher("The Lamp of Nowhere").name == ""


def test_a_sender_without_a_profile_has_only_its_name() -> None:
    profile = load_rules().profile_for_source("desk-7")

    assert (profile.name, profile.zone, profile.rules) == ("desk-7", None, ())


def test_the_version_changes_with_the_operator_s_profiles(tmp_path: Path) -> None:
    plain = load_rules().version
    (tmp_path / "desk.toml").write_text('name = "desk"\nzone = "Europe/Oslo"\n', "utf-8")
    rules = load_rules([tmp_path])

    assert plain == load_rules().version
    assert rules.version != plain
    assert rules.profile_for_source("desk").zone == "Europe/Oslo"


def test_every_shipped_lexicon_loads_under_its_own_name() -> None:
    for path in SHIPPED.glob("*.toml"):
        assert load_lexicon(path).language == path.stem
