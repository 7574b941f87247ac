"""What was deleted stays deleted: which documents belong to an article that an operator has deleted. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from copydesk.models import IdentityKey, Outcome, Verdict
from copydesk.storage.articles import CurrentArticle
from copydesk.storage.identities import KeyState

# Names that stay with a document whatever its text becomes. A file's name does not: tomorrow's is another story.
_LASTING = ("item", "document", "guid", "url")


def overrule(
    verdict: Verdict,
    names: Sequence[IdentityKey],
    keys: Mapping[IdentityKey, KeyState],
    articles: Mapping[str, CurrentArticle],
) -> Verdict:
    """The verdict, or `suppressed` where the document belongs to a deleted article.

    It does by the strongest lasting name that anyone owns, by its exact text whatever its names, and by the verdict
    itself: the same bytes under any name, or likeness. A new version of another article is not suppressed for being
    like a deleted one.
    """
    strongest = next((key for key in names if key.kind in _LASTING and key in keys and keys[key].owned), None)
    by_text = next((key for key in names if key.kind == "text" and key in keys), None)
    for key in (strongest, by_text):
        if key and (reason := _deleted(keys[key].article_id, articles)) is not None:
            return _suppressed(verdict, keys[key].article_id, f"{key.kind}: {reason}")
    if verdict.article_id and (reason := _deleted(verdict.article_id, articles)) is not None:
        return _suppressed(verdict, verdict.article_id, f"{reason} ({verdict.reason})")
    return verdict


def _deleted(article_id: str, articles: Mapping[str, CurrentArticle]) -> str | None:
    article = articles.get(article_id)
    if article is None or article.deleted is None or article.is_lifted:
        return None
    return f"its article was deleted: {article.deleted}"


def _suppressed(verdict: Verdict, article_id: str, reason: str) -> Verdict:
    return Verdict(Outcome.SUPPRESSED, article_id, reason, scores=verdict.scores)
