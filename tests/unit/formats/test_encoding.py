"""Bytes to text: every charset that newsrooms send, declarations that lie, damage, and what is said of it."""

from __future__ import annotations

import codecs

import pytest

from copydesk.formats import charsets
from copydesk.formats.encoding import codec_of, decode, wide_encoding
from copydesk.models import Hints
from tests.unit.formats.reports import REPORTS

LEGACY = [(language, charset) for language, (names, _) in REPORTS.items() for charset in names]


def written_in(text: str, charset: str) -> bytes:
    """The text's bytes, without what the charset cannot write."""
    return text.encode(charset, "ignore")


@pytest.mark.parametrize(("language", "charset"), LEGACY)
def test_a_report_in_a_legacy_charset_is_read_without_being_told_which(language: str, charset: str) -> None:
    data = written_in(REPORTS[language][1], charset)

    decoded = decode(data)

    assert decoded.text == data.decode(charset)
    assert decoded.warnings == ()


@pytest.mark.parametrize(("language", "charset"), LEGACY)
def test_two_hundred_bytes_are_enough(language: str, charset: str) -> None:
    data = written_in(REPORTS[language][1], charset)
    piece = data[:200].decode(charset, "ignore").encode(charset)

    assert decode(piece).text == piece.decode(charset)


@pytest.mark.parametrize(
    ("text", "charset", "name"),
    [
        ("日本語のテキスト、九月に発表。", "shift_jis", "shift_jis"),
        ("①日本語のテキスト、九月～十月に発表。", "cp932", "cp932"),
        ("衛生部長週四表示，新醫院將提前啟用。", "big5", "big5"),
        ("史蒂芬‧金週四表示，新醫院將提前啟用。", "cp950", "cp950"),
        ("卫生部长周四表示，新医院将提前开业。", "gb2312", "gb18030"),
        ("보건부 장관은 목요일 새 병원이 문을 연다고 밝혔다.", "euc_kr", "euc_kr"),
        ("보건부 장관은 목요일 똠방각하를 봤다고 밝혔다.", "cp949", "cp949"),
        ("Le café est fermé dans la ville pour l’été", "cp1252", "cp1252"),
        ("Le café est déjà fermé pour les vacances", "latin-1", "cp1252"),
    ],
)
def test_the_name_is_that_of_the_narrowest_set_that_reads_the_same(text: str, charset: str, name: str) -> None:
    decoded = decode(text.encode(charset))

    assert decoded.text == text
    assert decoded.encoding == codecs.lookup(name).name


@pytest.mark.parametrize("charset", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize(
    "text", ["Plain words, 12 of them.\n", "新医院将在九月 12 日开业。\n", "Больница откроется 5 мая.\n"]
)
@pytest.mark.parametrize("marked", [True, False])
def test_wide_encodings_are_known_by_mark_or_by_their_zeros(charset: str, text: str, marked: bool) -> None:
    data = (("\ufeff" if marked else "") + text * 4).encode(charset)

    decoded = decode(data)

    assert decoded.text == text * 4
    assert decoded.encoding == charset
    assert decoded.bom is marked


def test_a_mark_of_utf_8_is_no_part_of_the_text() -> None:
    decoded = decode(b"\xef\xbb\xbfTi\xc3\xaang Vi\xe1\xbb\x87t")

    assert (decoded.text, decoded.encoding, decoded.bom) == ("Tiếng Việt".replace("ế", "ê"), "utf-8", True)


def test_iso_2022_jp_is_known_by_its_escapes() -> None:
    text = "日本語のニュース"

    decoded = decode(text.encode("iso2022_jp"))

    assert (decoded.text, decoded.encoding) == (text, "iso2022_jp")


CAFE = "un café fermé".encode("cp1252")
HOSPITAL = "Больница откроется раньше срока, сказал министр."
WRONG = ("declared_encoding_wrong",)


@pytest.mark.parametrize(
    ("data", "declared", "hints", "text", "warnings"),
    [
        pytest.param("čeština".encode("cp1250"), "windows-1250", None, "čeština", (), id="declared and true"),
        pytest.param("Größe".encode(), "iso-8859-1", None, "Größe", WRONG, id="really UTF-8"),
        pytest.param(HOSPITAL.encode("cp1251"), "iso-8859-1", None, HOSPITAL, WRONG, id="Latin-1 by habit"),
        pytest.param(CAFE, "utf-8", None, "un café fermé", WRONG, id="UTF-8 by habit"),
        pytest.param(CAFE, "utf-16", None, "un café fermé", WRONG, id="UTF-16 that it cannot be"),
        pytest.param(CAFE, "no-such-charset", None, "un café fermé", (), id="a name that means nothing"),
        pytest.param("Ή".encode("cp1253"), None, Hints(encoding="cp1253"), "Ή", (), id="the sender knows"),
        pytest.param("Ή".encode("cp1253"), None, Hints(media_type="a/b; charset=cp1253"), "Ή", (), id="media type"),
        pytest.param(
            "ząb".encode("cp1250"), "cp1250", Hints(encoding="latin-1"), "ząb", WRONG, id="Latin-1 of the server"
        ),
        pytest.param("日本".encode("euc_jp"), "x-euc-jp", None, "日本", (), id="a browser's label"),
    ],
)
def test_declarations(
    data: bytes, declared: str | None, hints: Hints | None, text: str, warnings: tuple[str, ...]
) -> None:
    decoded = decode(data, declared, hints)

    assert decoded.text == text
    assert decoded.warnings == warnings


def test_a_damaged_byte_does_not_turn_utf_8_into_another_charset() -> None:
    decoded = decode("Больница ".encode() + b"\xff" + " откроется раньше срока".encode())

    assert decoded.text == "Больница ÿ откроется раньше срока".replace("ÿ", "ÿ")
    assert decoded.encoding == "utf-8"
    assert decoded.warnings == ("mixed_encodings",)


def test_windows_quotes_pasted_into_utf_8_are_read() -> None:
    decoded = decode("“Größe” – ".encode() + b"don\x92t")

    assert decoded.text == "“Größe” – don’t"
    assert decoded.warnings == ("mixed_encodings",)


def test_a_mark_of_utf_8_holds_against_bytes_that_are_not() -> None:
    decoded = decode(b"\xef\xbb\xbfdon\x92t")

    assert (decoded.text, decoded.encoding, decoded.warnings) == ("don’t", "utf-8", ("mixed_encodings",))


def test_a_character_cut_off_at_the_end_is_marked_and_the_rest_kept() -> None:
    decoded = decode("Größe, Übung, schön"[:-1].encode() + b"\xc3")

    assert decoded.text == "Größe, Übung, schö\ufffd"
    assert decoded.warnings == ("undecodable_bytes",)


def test_a_damaged_byte_in_a_legacy_text_costs_that_character_only() -> None:
    text = REPORTS["zh-Hans"][1]
    data = text.encode("gb18030")

    decoded = decode(data[:100] + b"\xff" + data[100:])

    assert decoded.encoding == "gb18030"
    assert decoded.text.count("\ufffd") <= 2
    assert decoded.text[-90:] == text[-90:]
    assert decoded.warnings == ("undecodable_bytes",)


def test_stray_control_characters_are_taken_out_with_a_warning() -> None:
    decoded = decode(b"first\x00 line\r\nsecond\x07 line\x1a")

    assert decoded.text == "first line\r\nsecond line"
    assert decoded.warnings == ("control_characters_removed",)


def test_replacement_characters_of_the_sender_are_counted_as_loss() -> None:
    assert decode("lost \ufffd here".encode()).warnings == ("replacement_characters",)


@pytest.mark.parametrize("label", ["base64", "hex", "idna", "utf-7", "raw_unicode_escape", "a\0b", "", "none", None])
def test_names_that_are_no_charset_mean_nothing(label: str | None) -> None:
    assert codec_of(label) is None


def test_random_bytes_with_zeros_are_no_wide_encoding() -> None:
    assert wide_encoding(bytes(range(256)) * 16) is None


def test_the_sample_is_bounded_and_holds_what_tells_charsets_apart() -> None:
    data = b"plain line\n" * 5000 + "последняя строка\n".encode("cp1251") * 2000

    sample = charsets.sample(data)

    assert len(sample) <= charsets.SAMPLE_BYTES
    assert not sample.isascii()
