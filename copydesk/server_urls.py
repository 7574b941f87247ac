"""The addresses of Redis and Postgres with what makes their TLS strict, from settings that are easier to read.

What an address says itself is left as it is. Both kombu and redis-py read the parameters of Redis, libpq those of
Postgres.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

_SCHEMES = {"redis": ("rediss://",), "postgres": ("postgresql://", "postgres://")}


class TlsFiles(NamedTuple):
    """Whom to believe, and our own certificate with its key where the server asks for one."""

    ca: Path | None
    cert: Path | None
    key: Path | None


def with_tls(server: str, url: str, files: TlsFiles) -> str:
    """The address of `redis` or `postgres` that accepts a server only by its certificate and name.

    An address of Postgres is left alone where no file is given, and one of Redis that is not `rediss://`. Raises
    `ValueError` for files that are not there, and for an address that cannot use them.
    """
    is_capable = url.startswith(_SCHEMES[server])
    if any(files):
        if (files.cert is None) != (files.key is None):
            raise ValueError(f"{server}_tls_cert and {server}_tls_key are set together or not at all")
        for path in files:
            if path and not path.is_file():
                raise ValueError(f"{server}_tls_ca, _cert and _key name files, and {path} is none")
        if not is_capable:
            raise ValueError(f"{server}_tls_… are for an address that begins with {_SCHEMES[server][0]}")
    ca, cert, key = (str(path.absolute()) if path else None for path in files)
    if server == "postgres":
        wanted = {"sslmode": ca and "verify-full", "sslrootcert": ca, "sslcert": cert, "sslkey": key}
        return _with_parameters(url, wanted) if any(files) else url
    # Both said, since kombu takes any certificate where nothing is.
    strict: dict[str, str | None] = {"ssl_cert_reqs": "required", "ssl_check_hostname": "true"}
    return (
        _with_parameters(url, strict | {"ssl_ca_certs": ca, "ssl_certfile": cert, "ssl_keyfile": key})
        if is_capable
        else url
    )


def without_password(url: str) -> str:
    """An address as it may be shown: `…` for a password, wherever it stands."""
    if "://" not in url:  # Postgres's other form, `host=… password=…`
        return re.sub(r"(password\s*=\s*)('(?:[^'\\]|\\.)*'|\S+)", r"\1…", url)
    url = re.sub(r"^([^/:]+://[^/?#:]*):[^/?#]*@", r"\1:…@", url)
    return re.sub(r"([?&](?:ssl)?password=)[^&]*", r"\1…", url)


def _with_parameters(url: str, wanted: dict[str, str | None]) -> str:
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    more = {name: value for name, value in wanted.items() if value is not None and name not in given}
    # libpq takes a plus sign for itself, so a space is %20.
    added = urlencode(more, quote_via=quote, safe="/")
    return parts._replace(query="&".join(part for part in (parts.query, added) if part)).geturl()
