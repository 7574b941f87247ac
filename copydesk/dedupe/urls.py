"""Addresses: when two of them name one page. What does not count is data (`urls.toml`); nothing is fetched.

A canonical address is for comparing only. Leaving out too much would make a revision of every other page of a site, so
a parameter goes only by its name in the table, and one that no table names stays, with or without a value.
"""

from __future__ import annotations

import posixpath
import re
import string
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import translate
from functools import cache
from importlib.resources import files
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

from copydesk.errors import LexiconError

_HOST: Final = re.compile(r"[\w.-]*\w\.?")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_IDENTIFYING: Final = re.compile(r"\d{4}")
_PLAIN_PATH: Final = re.compile(r"(?:/[\w~-][\w.~-]*)*/?", re.ASCII)
_PATH_SESSION: Final = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/;?]*", re.IGNORECASE)
# /amp/story, /story/amp, /story.amp, /story.amp.html
_AMP_FIRST: Final = re.compile(r"^/amp(?=/.)", re.IGNORECASE)
_AMP_LAST: Final = re.compile(r"(?:(?<=.)/amp|(?<=\w)\.amp)/?(?=$|\.html?$)", re.IGNORECASE)
_INDEX: Final = re.compile(r"/index\.(?:html?|php|jsp|aspx?)$", re.IGNORECASE)
_ESCAPE: Final = re.compile("%([0-9a-fA-F]{2})?")
# Unescaped where a path may hold them, and escapes themselves; everything else is escaped the same way.
_SAFE: Final = "/%!$&'()*+,;=:@~"


@dataclass(frozen=True, slots=True)
class HostRule:
    """What is particular to one host and those below it."""

    same_as: str | None = None
    keep: frozenset[str] | None = None
    """The only parameters that count; None: all that no table drops."""


@dataclass(frozen=True, slots=True)
class UrlRules:
    """The tables of `urls.toml`, compiled."""

    devices: frozenset[str]
    dropped: re.Pattern[str]
    vague: frozenset[str]
    form: frozenset[str]
    form_values: frozenset[str]
    caches: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]
    """(host of the cache, beginning of its paths up to and with the page's host)."""
    hosts: Mapping[str, HostRule]


@cache
def shipped_rules() -> UrlRules:
    """The rules that ship with the library; raises `LexiconError` where the file is wrong."""
    return read_rules(tomllib.loads((files("copydesk.dedupe") / "urls.toml").read_text("utf-8")))


def read_rules(table: Mapping[str, Any]) -> UrlRules:
    """Rules from a parsed TOML table; raises `LexiconError` for a missing or empty list, or a name that is no name."""
    try:
        dropped = [*table["tracking"], *table["session"]]
        names = [*dropped, *table["vague"], *table["form"], *table["devices"]]
        if not all(name and name == name.lower() and name != "*" for name in names):
            raise LexiconError("urls.toml", "a name is empty, in capitals, or stands for everything")
        return UrlRules(
            frozenset(table["devices"]),
            re.compile("|".join(map(translate, dropped))),
            frozenset(table["vague"]),
            frozenset(table["form"]),
            frozenset(table["form_values"]),
            tuple((re.compile(translate(c["host"])), _cache_prefix(c["prefixes"])) for c in table["cache"]),
            {h["name"]: HostRule(h.get("same_as"), _names(h.get("keep"))) for h in table["host"]},
        )
    except KeyError as error:
        raise LexiconError("urls.toml", f"{error} is missing") from error


def canonical_url(url: str, rules: UrlRules | None = None) -> str:
    """The address that all addresses of one page share; the address as it is where it has no host by name or number.

    Scheme, device host, port, user, fragment, tracking, session and AMP forms do not count, nor does the order of
    parameters or a slash at the end.
    """
    rules = rules or shipped_rules()
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return url
    if parts.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(parts.hostname or ""):
        return url
    path = _plain_path(parts.path)
    host, path, is_cache = _page_host((parts.hostname or "").rstrip("."), path, rules)
    rule = _host_rule(host, rules)
    host = rule.same_as or host
    if port and port not in _DEFAULT_PORTS.values():
        host = f"{host}:{port}"
    path = path if is_cache else _page_path(path)
    return urlunsplit(("https", host, path, _clean_query(parts.query, rule, rules), _route(parts)))


def _page_host(host: str, path: str, rules: UrlRules) -> tuple[str, str, bool]:
    """Host and path of the page itself, and whether it is a cache's that does not say whose page it serves."""
    host = _without_device(host, rules)
    for pattern, prefix in rules.caches:
        if pattern.match(host):
            page = prefix.match(path)
            if page:
                return _without_device(page["host"].lower(), rules), path[page.end() :], False
            return host, path, True
    return host, path, False


def _without_device(host: str, rules: UrlRules) -> str:
    first, _, rest = host.partition(".")
    while first in rules.devices and "." in rest:
        host = rest
        first, _, rest = host.partition(".")
    return host


def _host_rule(host: str, rules: UrlRules) -> HostRule:
    name = host
    while name:
        if name in rules.hosts and (name == host or rules.hosts[name].same_as is None):
            return rules.hosts[name]
        name = name.partition(".")[2]
    return HostRule()


def _plain_path(path: str) -> str:
    """The path with one way of escaping, no dots, no session and no slash at the end."""
    if _PLAIN_PATH.fullmatch(path):  # nearly all, and a third of the time
        return path.rstrip("/")
    path = _ESCAPE.sub(_unescape, _PATH_SESSION.sub("", path))
    path = posixpath.normpath("/" + quote(path, safe=_SAFE, errors="surrogatepass").lstrip("/"))
    return path.rstrip("/")


def _page_path(path: str) -> str:
    """The path without what says in which form the page is wanted."""
    before = ""
    while path != before:
        before = path
        path = _AMP_FIRST.sub("", _AMP_LAST.sub("", _INDEX.sub("/", path))).rstrip("/")
    return path


def _unescape(match: re.Match[str]) -> str:
    """The character of an escape that needs none; any other escape in capitals; a bare % escaped."""
    if match[1] is None:
        return "%25"
    char = chr(int(match[1], 16))
    return char if char.isascii() and (char.isalnum() or char in "-._~") else match[0].upper()


def _clean_query(query: str, rule: HostRule, rules: UrlRules) -> str:
    if not query:
        return ""
    # Byte for byte: a site's encoding is not known.
    escaped = quote(query, safe=string.punctuation, errors="surrogatepass")
    kept = [
        (name, value)
        for name, value in parse_qsl(escaped, keep_blank_values=True, encoding="latin-1")
        if _counts(name.lower(), value, rule, rules)
    ]
    # By name only: the order of one name's values may be meant.
    return urlencode(sorted(kept, key=lambda pair: pair[0]), encoding="latin-1")


def _counts(name: str, value: str, rule: HostRule, rules: UrlRules) -> bool:
    if rule.keep is not None:
        return name in rule.keep
    if rules.dropped.match(name):
        return False
    if name in rules.vague:
        return bool(_IDENTIFYING.search(value))
    return not (name in rules.form and value.lower() in rules.form_values)


def _route(parts: SplitResult) -> str:
    """The fragment where it names the page: `#!/story` and `#/story` of sites that are one page to their server."""
    return parts.fragment if parts.fragment.startswith(("!", "/")) else ""


def _cache_prefix(prefixes: Iterable[str]) -> re.Pattern[str]:
    before = "|".join(map(re.escape, prefixes))
    return re.compile(rf"(?:{before})(?P<host>[\w-]+(?:\.[\w-]+)+)(?=/|$)")


def _names(names: Iterable[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)
