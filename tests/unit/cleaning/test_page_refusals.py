"""Pages that are no article: walls, stubs, fronts, lists, errors, forms, each as sites send them. All made up."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache

import pytest

from copydesk import pipeline
from copydesk.cleaning import load_rules
from copydesk.models import Hints, RawItem

RECEIVED_AT = datetime(2026, 11, 25, tzinfo=UTC)


def page(title: str, body: str, *, language: str = "en", author: str = "", published: str = "") -> bytes:
    """A page with what most sites put around everything: menu, footer, structured data where it has an author."""
    data = {"@type": "NewsArticle", "headline": title, "author": {"name": author}, "datePublished": published}
    script = f'<script type="application/ld+json">{json.dumps(data)}</script>' if author else ""
    menu = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("News", "Sport", "Culture", "Weather"))
    return (
        f'<!doctype html><html lang="{language}"><head><title>{title}</title>'
        f'<meta property="og:title" content="{title}"><meta property="og:site_name" content="Harbour Post">'
        f"{script}</head>"
        f"<body><nav><ul>{menu}</ul></nav><main>{body}</main><footer><p>© 2026 Harbour Post</p></footer></body></html>"
    ).encode()


LEAD = "The ferry that lay on a sandbank for nine hours was freed on Wednesday, and nobody was hurt, officials said."
TEASERS = [
    "Ferry freed from sandbank after nine hours",
    "Council votes for a second bridge",
    "Chess league: Rook Club leads",
    "Storm warning for the weekend",
    "Library opens on Sundays again",
    "Bakers fear a poor harvest",
    "School gets a new roof at last",
]
FRONT = "".join(f'<div><h2><a href="/a/{n}">{text}</a></h2></div>' for n, text in enumerate(TEASERS))
DATED = "".join(f'<p><a href="/a/{n}">{text}</a> 1{n}:30</p>' for n, text in enumerate(TEASERS))

REFUSED = {
    "consent wall in English": page(
        "Before you continue",
        "<h1>We value your privacy</h1><p>We and our 842 partners store and access information on a device, such as "
        "cookies, and process personal data, such as unique identifiers, for personalised advertising and content.</p>"
        "<p>You can accept all cookies or manage your preferences at any time.</p><button>Accept all</button>",
    ),
    "consent wall in German": page(
        "Zustimmung",
        "<h1>Weiter mit Werbung lesen</h1><p>Besuchen Sie uns wie gewohnt mit Werbung und Tracking. Details "
        "zum Tracking finden Sie in der Datenschutzerklärung.</p><p>Wir und unsere Partner verarbeiten Daten, um "
        "Anzeigen zu personalisieren. Sie können Ihre Zustimmung jederzeit widerrufen.</p><button>Akzeptieren</button>",
        language="de",
    ),
    "consent wall in French": page(
        "Vos choix",
        "<h1>Le respect de votre vie privée est notre priorité</h1><p>Avec votre accord, nos partenaires et nous "
        "utilisons des cookies pour stocker et accéder à des informations comme votre visite sur ce site.</p>"
        "<button>Tout accepter</button>",
        language="fr",
    ),
    "consent wall in Italian": page(
        "Consenso",
        "<h1>La tua privacy è importante</h1><p>Noi e i nostri partner archiviamo o accediamo alle informazioni su un "
        "dispositivo, come i cookie, e trattiamo i dati personali. Puoi accettare tutti i cookie o abbonarti.</p>",
        language="it",
    ),
    "paywall stub in English, with author and date": page(
        "Ferry freed from sandbank",
        f'<h1>Ferry freed from sandbank</h1><p class="byline">By Jane Roe</p><p>{LEAD}</p>'
        "<p>Subscribe to continue reading this article.</p><p>Already a subscriber? Log in</p>",
        author="Jane Roe",
        published="2026-11-25T10:17:00Z",
    ),
    "paywall stub in German, with author and date": page(
        "Fähre nach neun Stunden frei",
        "<h1>Fähre nach neun Stunden frei</h1><p>Die Fähre, die neun Stunden auf einer Sandbank lag, ist am Mittwoch "
        "freigekommen, und verletzt wurde niemand, wie das Hafenamt mitteilte.</p>"
        "<p>Weiterlesen mit Abo</p><p>Jetzt testen und sofort weiterlesen. Bereits Abonnent? Hier anmelden</p>",
        language="de",
        author="Jana Roth",
        published="2026-11-25T10:17:00Z",
    ),
    "paywall stub in Spanish, with author and date": page(
        "Liberan el transbordador",
        "<h1>Liberan el transbordador</h1><p>El transbordador que pasó nueve horas en un banco de arena fue liberado "
        "el miércoles y no hubo heridos, según informó la oficina del puerto.</p>"
        "<p>Suscríbete para seguir leyendo</p><p>¿Ya eres suscriptor? Inicia sesión</p>",
        language="es",
        author="Juana Ruiz",
        published="2026-11-25T10:17:00Z",
    ),
    "paywall stub in Japanese, with author and date": page(
        "フェリー、9時間ぶりに離礁",
        "<h1>フェリー、9時間ぶりに離礁</h1><p>砂州に乗り上げていたフェリーが25日、9時間ぶりに離礁した。けが人はいなかったと港湾事務所が発表した。</p>"
        "<p>この記事は有料会員限定です</p><p>ログインして続きを読む</p>",
        language="ja",
        author="山田花子",
        published="2026-11-25T10:17:00+09:00",
    ),
    "page not found in English": page(
        "Page not found",
        "<h1>404</h1><p>Sorry, the page you are looking for could not be found.</p><p>Go to the homepage</p>",
    ),
    "page not found in French": page(
        "Page introuvable",
        "<h1>Oups !</h1><p>La page que vous recherchez n'existe pas ou plus.</p><p>Retour à l'accueil</p>",
        language="fr",
    ),
    "page not found in Russian": page(
        "Страница не найдена",
        "<h1>Ошибка 404</h1><p>Запрашиваемая страница не найдена.</p><p>Вернуться на главную</p>",
        language="ru",
    ),
    "front page of headlines": page("Harbour Post", f"<h1>Harbour Post</h1>{FRONT}"),
    "list of headlines with their times": page("Latest news", f"<h1>Latest news</h1>{DATED}"),
    "log-in form": page(
        "Log in",
        '<h1>Log in</h1><form><input name="user"><input name="password" type="password"><button>Log in</button></form>'
        "<p>Forgot your password?</p>",
    ),
    "page that needs scripts": page("Harbour Post", "<noscript>Please enable JavaScript to continue.</noscript>"),
    "bot check": page(
        "Just a moment...",
        "<h1>Checking your browser</h1><p>Please enable JavaScript and cookies to continue.</p>"
        "<p>Ray ID: 8a1b2c3d4e</p>",
    ),
}

STORY = (
    "<p>The ferry had run aground shortly after midnight, when the tide went out faster than the pilot expected.</p>"
    "<p>Tugs from two harbours pulled at her from six in the morning; at nine she moved at last, by a metre.</p>"
    "<p>“Nobody was hurt, and the coffee never ran out,” said the captain, when all had gone ashore.</p>"
)
KEPT = {
    "a story with a consent notice behind it": page(
        "Ferry freed from sandbank",
        f"<h1>Ferry freed from sandbank</h1><p>{LEAD}</p>{STORY}<p>You can accept all cookies.</p>",
        author="Jane Roe",
        published="2026-11-25T10:17:00Z",
    ),
    "a story with an offer to subscribers in it": page(
        "Ferry freed from sandbank",
        f"<h1>Ferry freed from sandbank</h1><p>{LEAD}</p><p>Subscribe to continue reading this article.</p>{STORY}",
        author="Jane Roe",
        published="2026-11-25T10:17:00Z",
    ),
    "a short report without any wall": page(
        "Ferry freed from sandbank", f"<h1>Ferry freed from sandbank</h1><p>{LEAD}</p>", author="Jane Roe"
    ),
}


RULES = lru_cache(load_rules)


def cleaned(data: bytes) -> pipeline.Processed:
    item = RawItem(data, "harbour", RECEIVED_AT, Hints(url="https://harbour.example/a/1", media_type="text/html"))
    return pipeline.process(item, RULES())[0]


@pytest.mark.parametrize("case", REFUSED)
def test_a_page_that_is_no_article_is_refused(case: str) -> None:
    found = cleaned(REFUSED[case])

    assert found.document is None
    assert found.reason


@pytest.mark.parametrize("case", KEPT)
def test_a_story_beside_a_notice_is_kept(case: str) -> None:
    found = cleaned(KEPT[case])

    assert found.document
    assert LEAD in found.document.body
