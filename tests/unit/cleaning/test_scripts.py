"""How each script writes names, stops, years and papers: the smallest text in which it once went wrong."""

from __future__ import annotations

import pytest

from benchmarks.score_hooks import plaintext

ARABIC = [
    "الجزيرة تبقي رصيفها القديم مفتوحا",
    "صوت مجلس الجزيرة يوم الثلاثاء على إبقاء الرصيف القديم مفتوحا لصيفين آخرين.",
]
ENGLISH = [
    "Island keeps its old pier open",
    "The council voted on Tuesday to keep the old pier open for two summers more.",
]
GERMAN = [
    "Insel hält alten Steg offen",
    "Der Rat der Insel hat am Dienstag beschlossen, den alten Steg noch zwei Sommer zu halten.",
]
HEBREW = ["האי משאיר את הרציף הישן פתוח", "מועצת האי הצביעה ביום שלישי בעד השארת הרציף הישן פתוח לעוד שני קיצים."]
HINDI = [
    "द्वीप ने पुराना घाट खुला रखा",
    "द्वीप की परिषद ने मंगलवार को पुराने घाट को दो और गर्मियों तक खुला रखने के पक्ष में मतदान किया।",
]
THAI = ["เกาะเปิดท่าเรือเก่าต่อไป", "สภาเกาะลงมติเมื่อวันอังคารให้เปิดท่าเรือเก่าต่อไปอีกสองฤดูร้อน หลังจากเจรจากันมาหลายเดือน"]
TURKISH = [
    "Ada eski iskelesini açık tutuyor",
    "Ada meclisi salı günü eski iskelenin iki yaz daha açık kalması için oy kullandı.",
]
UKRAINIAN = [
    "Острів лишає старий причал",
    "Рада острова у вівторок проголосувала за те, щоб старий причал лишався відкритим.",
]


@pytest.mark.parametrize(
    ("story", "line", "key", "value"),
    [
        (ARABIC, "بقلم: ليلى حداد، سمير نصار", "authors", ["ليلى حداد", "سمير نصار"]),
        (HEBREW, "העבודות יסתיימו במרץ.", "authors", []),
        (HINDI, "© 2024 पहाड़ वाणी। सभी अधिकार सुरक्षित।", "source", "पहाड़ वाणी"),
        (THAI, "วันที่ 4 มิ.ย. 67 เวลา 17.42 น.", "published_at", "2024-06-04T17:42:00+07:00"),
        (THAI, "© 2567 ดอยทูเดย์", "source", "ดอยทูเดย์"),
        (TURKISH, "Haber: SELİN IŞIK", "authors", ["Selin Işık"]),
        (TURKISH, "Kaynak: Kuzey Basım A.Ş.", "source", "Kuzey Basım A.Ş."),
        (UKRAINIAN, "Автор: Іван ПЕТРЕНКО", "authors", ["Іван Петренко"]),
        (GERMAN, "Küstenbote, 4. Juni 2024", "source", "Küstenbote"),
        (GERMAN, "(Lisa Hofstätter, APA, 4.6.2024)", "authors", ["Lisa Hofstätter"]),
    ],
    ids=[
        "Arabic comma", "Hebrew sentence", "danda", "Buddhist year of two digits", "Buddhist year of rights",
        "dotless i", "stop of a company's form", "surname in capitals", "paper in one word", "name, agency, day",
    ],
)  # fmt: skip
def test_a_line_below_the_story_is_read_as_its_script_writes_it(
    story: list[str], line: str, key: str, value: object
) -> None:
    answer = plaintext(("\n\n".join([*story, line]) + "\n").encode(), "input.txt")

    assert answer[key] == value


def test_a_rights_line_spread_by_spaces_is_no_story() -> None:
    story = "海岛让旧码头继续开放\n\n岛上的议会星期二投票决定，让旧码头再开放两个夏天，此前谈判了几个月。"
    text = f"{story}\n\n版 权 所 有 ， 未 经 授 权 不 得 转 载\n"

    assert len(plaintext(text.encode(), "input.txt")["body"]) == 1


def test_repeated_questions_and_prices_inside_a_story_stay() -> None:
    answer = "The rope must be made of hemp and must be dried for at least four days before it is tied."
    lines = [ENGLISH[0], ENGLISH[1], *(["What rope do you use?", answer + " Number {}."] * 4), answer]
    text = "\n\n".join(line.format(number) for number, line in enumerate(lines)) + "\n"

    assert plaintext(text.encode(), "input.txt")["body"].count("What rope do you use?") == 4
