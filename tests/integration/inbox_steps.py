"""The steps that the inbox service takes, one by one, for tests that stop between them."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from copydesk.delivery import claims
from copydesk.delivery.claims import Claim
from copydesk.queue.jobs import new_id

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIMIT = 1000


def drop(inbox: Path, name: str | bytes, data: bytes = b"text") -> Path:
    path = Path(os.fsdecode(os.fsencode(inbox) + b"/" + os.fsencode(name)))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def claim_all(inbox: Path) -> Claim:
    """Everything there is, as one job: the files of a test belong to one source."""
    claim = claims.claim(inbox, list(claims.scan(inbox)), claim_id=new_id(), received_at=NOW)
    assert claim is not None
    return claim


def settle(inbox: Path, claim: Claim, folder: str = "done") -> list[Path]:
    places = [claims.settle_file(inbox, claim, file, folder, {"job": claim.id}) for file in claim.files]
    claims.discard_claim(inbox, claim.id)
    return places


def files(folder: Path) -> set[str]:
    return {os.fsdecode(os.path.relpath(p, folder)) for p in folder.rglob("*") if p.is_file() or p.is_symlink()}
