"""Signs what webhooks send, as the Standard Webhooks specification says, so that receivers can use its libraries."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from copydesk.errors import UsageError

PREFIX = "whsec_"

# What the specification asks of a secret, in bytes.
SECRET_MIN, SECRET_MAX = 24, 64


def secret_of(key: bytes) -> str:
    """A key as receivers write it."""
    return PREFIX + base64.b64encode(key).decode("ascii")


def key_of(secret: str) -> bytes:
    """The key that a secret stands for. Raises `UsageError`."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise UsageError("secret", "not base64 behind `whsec_`") from error
    if not secret.startswith(PREFIX) or not SECRET_MIN <= len(key) <= SECRET_MAX:
        raise UsageError("secret", f"`whsec_` and {SECRET_MIN} to {SECRET_MAX} bytes as base64 are needed")
    return key


def headers(secret: str, message_id: str, at: int, body: bytes) -> dict[str, str]:
    """The three headers of a message; `at` is its time in seconds since 1970."""
    signed = b".".join((message_id.encode(), str(at).encode(), body))
    digest = hmac.digest(key_of(secret), signed, hashlib.sha256)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode('ascii')}",
    }
