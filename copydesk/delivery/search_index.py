"""Makes articles findable after their commit: follows the numbered changes, a batch a transaction."""

from __future__ import annotations

from copydesk.liveness.pulse import pulse
from copydesk.searching.terms import configuration, terms, vector
from copydesk.storage import readers, search
from copydesk.storage.connection import Connection, translated_errors
from copydesk.storage.rows import Row
from copydesk.storage.search import ChangedText

READER = "search"


def index_texts(connection: Connection) -> None:
    """Index everything that changed. Raises `DatabaseUnavailable`."""
    with translated_errors("index texts"):
        while _step(connection):
            pulse.finish("a batch of texts")


def _step(connection: Connection) -> bool:
    """One batch; whether there may be more."""
    with connection.transaction():
        changed = search.changed_texts(connection, readers.take(connection, READER))
        if not changed:
            return False
        search.write(connection, [_row(one) for one in changed if one.revision is not None])
        search.drop(connection, [one.article_id for one in changed if one.revision is None])
        readers.move(connection, READER, changed[-1].position)
    return len(changed) == search.BATCH


def _row(changed: ChangedText) -> Row:
    title, body = terms(changed.title), terms(changed.body)
    return {
        "article_id": changed.article_id,
        "revision": changed.revision,
        "configuration": configuration(changed.language),
        "title": title.words,
        "title_runs": vector(title.runs),
        "body": body.words,
        "body_runs": vector(body.runs),
    }
