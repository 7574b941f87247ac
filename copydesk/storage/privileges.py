"""What each process may do in the database, by table and where it matters by column. Nothing here runs.

Whoever is not named for a table may not even read it: the inbox and ingest workers see no article, the HTTP door
writes nothing, and only storage workers write articles. The role that owns the tables is for `copydesk migrate`.
"""

from __future__ import annotations

from collections.abc import Mapping

READ = ("select",)
APPEND = ("select", "insert")
KEEP = ("select", "insert", "update")
ALL = ("select", "insert", "update", "delete")

Table = Mapping[str, tuple[str, ...]]

_WEBHOOK_SHOWN = (
    "select (id, url, events, source, enabled, position, due_at, leased_until, failures, last_error, delivered_at,"
    " added_at)"
)

# Also `schema_migration`, for all of them: which version of the schema this is is no secret.
PRIVILEGES: Mapping[str, Table] = {
    # Waits for receipts, by which files are settled.
    "inbox": {"ingest": READ, "receipt": READ},
    # Loads the likeness index, learnt lines and profiles: hashes and boilerplate, no article.
    "ingest": {"sketch": READ, "likeness_run": KEEP, "learnt_line": READ, "source_profile": READ},
    # Polls feeds and calls webhooks. It speaks to strangers, so of articles it sees what an event tells.
    "fetch": {
        "feed": ("select", "update"),
        "feed_fetch": APPEND,
        "feed_log": ("insert", "select"),
        "feed_reject": READ,
        "identity_key": ("select (kind, value, item_sha256, article_id)",),
        "deletion": ("select (article_id, lifted_at)",),
        "article_head": ("select (id, source, changed_at, current_revision)",),
        "revision": ("select (article_id, number, title)",),
        "article": ("select (id, title, url, language, publisher, published_text)",),
        # Locks the job whose fetch it notes, so that it is not closed meanwhile.
        "ingest": ("select (id, source, closed_at)", "update (source)"),
        "outbox": READ,
        "webhook": ("select", "update"),
        "webhook_log": APPEND,
    },
    "storage": {
        "ingest": KEEP,
        "raw": ("select", "insert", "update (stored_at, source)", "delete"),
        "article_head": KEEP,
        "revision": APPEND,
        "deletion": READ,
        "identity_key": ALL,
        "withdrawal": KEEP,
        "receipt": ALL,
        "sighting": ALL,
        "sketch": KEEP,
        "follower": ALL,
        "dead_letter": APPEND,
        "attempt": ALL,
        "outbox": ALL,
        "feed": ("select", "update"),
        "feed_fetch": ("select", "delete"),
        "feed_log": APPEND,
        "feed_reject": APPEND,
    },
    "scheduler": {
        "ingest": READ,
        "receipt": READ,
        # What is kept no longer goes; a row is locked before by whoever may change a column of it.
        "raw": ("select", "delete", "update (source)"),
        "article_head": ("select", "update (position, expired_at, cluster_id)"),
        "sketch": ("select", "update (number)"),
        "revision": ("select", "update", "delete"),
        "sighting": ("select", "delete"),
        "article": READ,
        "article_text": ALL,
        "outbox": ("select", "update (position)"),
        "reader": KEEP,
        "learnt_line": ALL,
        "source_profile": READ,
        "dead_letter": ("select", "update (resolution, note, replay_id, resolved_at)"),
        "feed": ("select", "update"),
        "feed_fetch": READ,
        "feed_log": ("select", "delete"),
        "webhook": (_WEBHOOK_SHOWN, "update (leased_until)"),
    },
    "api": {
        "article": READ,
        "article_head": READ,
        "article_text": READ,
        "revision": READ,
        "raw": READ,
        "deletion": READ,
        "sighting": READ,
        "outbox": READ,
        "ingest": READ,
        "receipt": READ,
        "api_key": READ,
        "learnt_line": READ,
        "source_profile": READ,
    },
    # The command line, and what an administrator asks of the HTTP door: reads everything, changes what is configured
    # and what did not become an article, deletes articles and cleans them again; it makes none.
    "operator": {
        **dict.fromkeys(("article", "sighting", "ingest", "receipt", "withdrawal", "follower", "attempt"), READ),
        **dict.fromkeys(("reader", "feed_fetch"), READ),
        "article_head": ("select", "update (changed_at, cluster_id)"),
        "revision": ("select", "update", "delete"),
        "deletion": KEEP,
        "raw": ("select", "delete"),
        "article_text": ("select", "delete"),
        "outbox": ("select", "insert", "delete"),
        "identity_key": ALL,
        "sketch": ("select", "update"),
        "likeness_run": KEEP,
        "dead_letter": ("select", "update"),
        "learnt_line": ("select", "update"),
        "source_profile": KEEP,
        "api_key": KEEP,
        "webhook": ALL,
        "webhook_log": READ,
        "feed": ALL,
        "feed_log": READ,
        "feed_reject": ("select", "delete"),
    },
    # For programs of yours: neither withdrawn articles nor embargoed ones, which the tables below the view show.
    "reader": {"article": READ},
}
