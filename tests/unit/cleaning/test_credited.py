"""Who a text credits: the publisher and the people, told from lines that no label explains."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from copydesk import cleaning, formats
from copydesk.models import Cleaned, Hints

RULES = cleaning.load_rules()


def clean(text: str) -> Cleaned:
    (parsed,) = formats.parse(text.encode(), Hints())
    return cleaning.clean(
        parsed,
        profile=cleaning.EMPTY_PROFILE,
        rules=RULES,
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
        hints=Hints(),
    )


@pytest.mark.parametrize(
    ("text", "publisher", "authors"),
    [
        pytest.param(
            "El molino vuelve a moler\n3 de mayo de 2024\n"
            "El molino de Arriba volvió a moler el viernes después de treinta años parado, dijo la alcaldesa.\n"
            "El molinero tiene ochenta años y no piensa jubilarse hasta que alguien aprenda el oficio.\n"
            "Marta Olmedo, Hojas del Duero\n",
            "Hojas del Duero",
            ("Marta Olmedo",),
            id="a paper behind the comma of a signature",
        ),
        pytest.param(
            "Die Mühle mahlt wieder\nVon Marta Olm, Flussblick\n"
            "Die Mühle im Tal mahlt seit Freitag wieder, nachdem sie dreißig Jahre lang gestanden hatte.\n"
            "Der Müller ist achtzig Jahre alt und sucht jemanden, der das Handwerk von ihm lernen will.\n"
            "Teilen\nFolgen Sie Flussblick auf Facebook\n",
            "Flussblick",
            ("Marta Olm",),
            id="one word behind a name that the site's own line repeats",
        ),
        pytest.param(
            "Die Mühle mahlt wieder\nVon Marta Olm, Passau\n"
            "Die Mühle im Tal mahlt seit Freitag wieder, nachdem sie dreißig Jahre lang gestanden hatte.\n"
            "Der Müller ist achtzig Jahre alt und sucht jemanden, der das Handwerk von ihm lernen will.\n",
            None,
            ("Marta Olm",),
            id="a place behind a name",
        ),
        pytest.param(
            "Мельница снова мелет\nТихий омут | 03.05.2024 | 09:00 МСК\n"
            "Мельница в долине снова мелет с пятницы, хотя тридцать лет стояла без дела и без мельника.\n"
            "Мельнику восемьдесят лет, и он ищет того, кто захочет научиться у него ремеслу.\n",
            "Тихий омут",
            (),
            id="a name with one capital beside the date",
        ),
        pytest.param(
            "방앗간이 다시 돈다\n입력 2024.05.03 10:05\n"
            "골짜기의 방앗간이 서른 해 만에 금요일부터 다시 돌기 시작했다고 주민들이 말했다.\n"
            "방앗간 주인은 여든 살이고 일을 배울 사람을 아직 찾고 있다고 한다.\n"
            "저작권자 © 강변소리 무단전재 및 재배포 금지\n",
            "강변소리",
            (),
            id="the holder of the rights before the formula",
        ),
    ],
)
def test_the_text_tells_its_publisher_and_authors(text: str, publisher: str | None, authors: tuple[str, ...]) -> None:
    cleaned = clean(text)
    assert (cleaned.publisher, cleaned.authors) == (publisher, authors)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(
            "猫のしっぽの印\n2024年5月3日\n編集者は長い間、しるしを表紙のどこに置くべきかを考え続けていたという。\n"
            "©マークは表紙の隅に小さく置かれ、長い間だれにも気づかれなかったと編集者は振り返って話す。\n"
            "今では集める人がいて、町の図書館には棚が一つ、そのためだけに用意されているという。\n",
            "©マークは表紙の隅に小さく置かれ、長い間だれにも気づかれなかったと編集者は振り返って話す。",
            id="a sentence about the sign",
        ),
        pytest.param(
            "The tablecloth\n3 May 2024\n"
            "In 1971 a seamstress stitched a bird on a tablecloth, and in the corner she added four words in red.\n"
            "All rights reserved.\n"
            "Her granddaughter thinks that it was a joke, and the maker of the cloth holds that it was a pattern.\n"
            "© 2024 The River Post. All rights reserved.\n",
            "All rights reserved.",
            id="a formula between two sentences above the text's own",
        ),
        pytest.param(
            "磨坊又转起来了\n2024年5月3日\n山谷里的磨坊停了三十年，星期五又转了起来，村里人都来看。\n"
            "来源：这是老磨工在账本上写的第一个词，后面什么也没有。\n磨工今年八十岁，他说要等有人学会了手艺才肯退休。\n",
            "来源：这是老磨工在账本上写的第一个词，后面什么也没有。",
            id="a sentence behind the word for source",
        ),
    ],
)
def test_a_line_of_story_about_rights_stays(text: str, line: str) -> None:
    assert line in clean(text).body


def test_an_interview_without_blank_lines_keeps_headline_and_questions() -> None:
    cleaned = clean(
        "Interview: A lamp is never in a hurry\nQ: Who owns the light?\nA: Whoever can see it, she says.\n"
        "Q: And the key?\nA: The sea has it, since the storm that took the boat and the shed in one night.\n"
    )
    assert cleaned.title == "A lamp is never in a hurry"
    assert cleaned.body[0] == "Q: Who owns the light?"
