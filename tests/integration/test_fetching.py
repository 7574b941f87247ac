"""The HTTP client against a real server on loopback that lies, stalls, floods and sends it elsewhere."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import socket
import subprocess
import threading
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import brotli
import pytest

from copydesk.errors import AddressRefused, FetchError, FetchHard, FetchSoft, FetchTemporary
from copydesk.fetching import Client, Limits, Validators
from copydesk.fetching.decoding import zstd
from tests.feed_server import Answer, FeedServer, feed_server, refused_port, rss

BODY = rss(("one", "The ferry crossed again on Monday."))
LIMITS = Limits(connect_s=5.0, read_s=0.5, whole_s=1.5, body_bytes=1024 * 1024, redirects=3)


BOMBS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "br": lambda data: bytes(brotli.compress(data, quality=3)),
    "zstd": zstd.compress,
}


@pytest.fixture
def client() -> Client:
    return Client(LIMITS, user_agent="copydesk/test (+desk@example.org)", allow_private=True)


def test_a_body_comes_with_all_that_a_later_poll_needs(server: FeedServer, client: Client) -> None:
    headers = {
        "ETag": '"v1"',
        "Last-Modified": "Mon, 02 Mar 2026 08:00:00 GMT",
        "Content-Type": "application/rss+xml; charset=ISO-8859-1",
        "Cache-Control": "public, max-age=900",
        "Age": "300",
    }
    url = server.put("/feed", Answer(BODY, headers=headers))
    fetched = client.fetch(url)

    assert (fetched.status, fetched.is_modified, fetched.url, fetched.moved_to) == (200, True, url, None)
    assert (fetched.body, fetched.sha256) == (BODY, hashlib.sha256(BODY).hexdigest())
    assert fetched.validators == Validators('"v1"', headers["Last-Modified"])
    assert (fetched.media_type, fetched.charset, fetched.fresh_for_s) == ("application/rss+xml", "iso-8859-1", 600)
    (request,) = server.requests
    assert request.headers["user-agent"] == "copydesk/test (+desk@example.org)"
    assert request.headers["host"] == f"127.0.0.1:{server.port}"
    assert "if-none-match" not in request.headers


def test_a_server_that_honours_validators_sends_no_body_again(server: FeedServer, client: Client) -> None:
    url = server.put("/feed", Answer(BODY, headers={"ETag": 'W/"v1"'}))
    again = client.fetch(url, client.fetch(url).validators)

    assert (again.status, again.is_modified, again.body, again.sha256) == (304, False, b"", "")
    assert server.requests[1].headers["if-none-match"] == 'W/"v1"'


def test_a_server_that_lies_about_validators_is_seen_through_by_the_hash(server: FeedServer, client: Client) -> None:
    url = server.put("/feed", *(Answer(BODY, headers={"ETag": f'"{n}"'}, honours_validators=False) for n in range(2)))
    first = client.fetch(url)
    second = client.fetch(url, first.validators)

    assert (second.status, second.is_modified) == (200, True)
    assert second.sha256 == first.sha256
    assert second.validators != first.validators


def test_304_without_a_question_is_no_answer(server: FeedServer, client: Client) -> None:
    with pytest.raises(FetchSoft):
        client.fetch(server.put("/feed", Answer(status=304)))


@pytest.mark.parametrize(
    ("answer", "kind", "retry_after_s"),
    [
        pytest.param(Answer(status=500), FetchTemporary, 0, id="500"),
        pytest.param(Answer(status=503, headers={"Retry-After": "120"}), FetchTemporary, 120, id="503 and when"),
        pytest.param(Answer(status=429, headers={"Retry-After": "7200"}), FetchTemporary, 7200, id="429 and when"),
        pytest.param(Answer(status=429, headers={"Retry-After": "soon"}), FetchTemporary, 0, id="429 and nonsense"),
        pytest.param(Answer(status=202), FetchTemporary, 0, id="202"),
        pytest.param(Answer(b" \n"), FetchTemporary, 0, id="an empty body"),
        pytest.param(Answer(status=403), FetchSoft, 0, id="403"),
        pytest.param(Answer(status=404), FetchSoft, 0, id="404"),
        pytest.param(Answer(status=302), FetchSoft, 0, id="a redirect to nowhere"),
        pytest.param(Answer(b"x", headers={"Content-Encoding": "rot13"}), FetchSoft, 0, id="an unknown encoding"),
        pytest.param(Answer(BODY, headers={"Content-Encoding": "gzip"}), FetchSoft, 0, id="gzip that is none"),
        pytest.param(
            Answer(gzip.compress(BODY)[:-9], headers={"Content-Encoding": "gzip"}), FetchSoft, 0, id="gzip cut off"
        ),
        pytest.param(Answer(BODY, headers={"Content-Length": "9999"}), FetchTemporary, 0, id="a body cut off"),
        pytest.param(Answer(status=410), FetchHard, 0, id="410"),
        pytest.param(Answer(status=451), FetchHard, 0, id="451"),
    ],
)
def test_errors_are_graded_by_when_it_is_worth_asking_again(
    server: FeedServer, client: Client, answer: Answer, kind: type[FetchError], retry_after_s: float
) -> None:
    with pytest.raises(FetchError) as caught:
        client.fetch(server.put("/feed", answer))

    assert type(caught.value) is kind
    assert caught.value.retry_after_s == retry_after_s


@pytest.mark.parametrize("name", ["gzip", "deflate", "raw deflate", "br", "zstd", "gzip of gzip"])
def test_compressed_bodies_are_read(server: FeedServer, client: Client, name: str) -> None:
    raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    coded = {
        "gzip": ("gzip", gzip.compress(BODY)),
        "deflate": ("deflate", zlib.compress(BODY)),
        "raw deflate": ("deflate", raw.compress(BODY) + raw.flush()),
        "br": ("br", brotli.compress(BODY)),
        "zstd": ("zstd", zstd.compress(BODY)),
        "gzip of gzip": ("gzip, gzip", gzip.compress(gzip.compress(BODY))),
    }
    coding, data = coded[name]

    assert client.fetch(server.put("/feed", Answer(data, headers={"Content-Encoding": coding}))).body == BODY
    assert set(server.requests[0].headers["accept-encoding"].split(", ")) == {"gzip", "deflate", "br", "zstd"}


def test_an_endless_body_ends_at_the_limit(server: FeedServer, client: Client) -> None:
    flood = Answer(behave=lambda handler: server.drip(handler, itertools.repeat(b"x" * 65536)))

    with pytest.raises(FetchSoft, match="larger than 1,048,576"):
        client.fetch(server.put("/feed", flood))


@pytest.mark.parametrize("coding", BOMBS)
def test_a_bomb_is_noticed_in_bounded_memory(server: FeedServer, client: Client, coding: str) -> None:
    url = server.put("/feed", Answer(BOMBS[coding](b" " * (200 * 1024 * 1024)), headers={"Content-Encoding": coding}))
    tracemalloc.start()
    try:
        with pytest.raises(FetchSoft, match="larger than"):
            client.fetch(url)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 8 * LIMITS.body_bytes


def test_a_stream_that_decompresses_to_nothing_ends_at_the_limit(server: FeedServer, client: Client) -> None:
    """Empty blocks for ever: no output that a limit could count."""
    empty = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    block = (empty.compress(b"") + empty.flush(zlib.Z_FULL_FLUSH)) * 4096
    answer = Answer(
        headers={"Content-Encoding": "deflate"}, behave=lambda handler: server.drip(handler, itertools.repeat(block))
    )

    with pytest.raises(FetchSoft, match="larger than"):
        client.fetch(server.put("/feed", answer))


@pytest.mark.parametrize(
    ("pause_s", "told"),
    [pytest.param(60.0, "too long", id="silent"), pytest.param(0.1, "as a whole", id="a byte now and then")],
)
def test_a_slow_server_is_left(server: FeedServer, client: Client, pause_s: float, told: str) -> None:
    url = server.put("/feed", Answer(behave=lambda handler: server.drip(handler, itertools.repeat(b"x"), pause_s)))

    with pytest.raises(FetchTemporary, match=told):
        client.fetch(url)


def test_headers_that_drip_are_left_too(client: Client) -> None:
    """Each byte is a sign of life, so only the limit of the whole ends it."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            peer, _ = listening.accept()
            with peer:
                peer.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not stop.wait(0.1):
                    try:
                        peer.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with pytest.raises(FetchTemporary, match="as a whole"):
            client.fetch(f"http://127.0.0.1:{listening.getsockname()[1]}/")
        stop.set()
        thread.join(10)


def test_nobody_listening_is_temporary(client: Client) -> None:
    with pytest.raises(FetchTemporary):
        client.fetch(f"http://127.0.0.1:{refused_port()}/")


def test_a_name_that_is_not_there_is_an_error_of_ours(client: Client) -> None:
    with pytest.raises(FetchError) as caught:
        client.fetch("http://no-such-host.invalid/feed")

    assert type(caught.value) in (FetchSoft, FetchTemporary)


def test_what_is_not_http_is_an_error_of_ours(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            peer, _ = listening.accept()
            with peer:
                peer.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with pytest.raises(FetchError):
            client.fetch(f"http://127.0.0.1:{listening.getsockname()[1]}/")
        thread.join(10)


# --- redirects ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statuses", "moved"),
    [
        pytest.param([301], 1, id="for good"),
        pytest.param([308, 301], 2, id="for good twice"),
        pytest.param([302], None, id="for now"),
        pytest.param([301, 307], 1, id="for good, then for now"),
        pytest.param([303, 301], None, id="for now, then for good"),
    ],
)
def test_redirects_are_followed_and_what_they_say_is_told(
    server: FeedServer, client: Client, statuses: list[int], moved: int | None
) -> None:
    for number, status in enumerate(statuses):
        server.put(f"/{number}", Answer(status=status, headers={"Location": f"{number + 1}?q=1#top"}))
        server.put(f"/{number}?q=1", Answer(status=status, headers={"Location": f"/{number + 1}?q=1"}))
    end = server.put(f"/{len(statuses)}?q=1", Answer(BODY))
    fetched = client.fetch(server.url("/0"))

    assert (fetched.body, fetched.url) == (BODY, end)
    assert fetched.moved_to == (server.url(f"/{moved}?q=1") if moved else None)


def test_a_redirect_loop_ends(server: FeedServer, client: Client) -> None:
    server.put("/a", Answer(status=302, headers={"Location": "/b"}))
    server.put("/b", Answer(status=302, headers={"Location": "/a"}))

    with pytest.raises(FetchSoft, match="3 redirects"):
        client.fetch(server.url("/a"))
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://user:secret@127.0.0.1/", "http://[::bad/"]
)
def test_a_redirect_to_what_is_not_fetched_is_refused(server: FeedServer, client: Client, target: str) -> None:
    url = server.put("/feed", Answer(status=302, headers={"Location": target}))

    with pytest.raises(AddressRefused) as caught:
        client.fetch(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://0/"])
def test_metadata_is_refused_also_where_private_is_allowed(server: FeedServer, client: Client, target: str) -> None:
    url = server.put("/feed", Answer(status=302, headers={"Location": target}))

    with pytest.raises(AddressRefused):
        client.fetch(url)


# --- addresses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"]
)
def test_this_machine_is_refused_however_it_is_written(server: FeedServer, host: str) -> None:
    url = server.put("/feed", Answer(BODY)).replace("127.0.0.1", host)
    careful = Client(LIMITS, user_agent="copydesk", allow_private=False)

    with pytest.raises(AddressRefused):
        careful.fetch(url)
    assert server.requests == []


def test_the_address_that_was_checked_is_the_one_connected_to(
    server: FeedServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that answers otherwise the second time: it is asked once."""
    real, asked = socket.getaddrinfo, []

    def resolver(host: str, port: int, *args: object, **kwargs: object) -> object:
        if host == "feeds.example":
            asked.append(host)
            return real("127.0.0.1" if len(asked) == 1 else "127.0.0.2", port, type=socket.SOCK_STREAM)
        return real(host, port, *args, **kwargs)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    server.put("/feed", Answer(BODY))
    fetched = client.fetch(server.url("/feed", host="feeds.example"))

    assert (fetched.body, asked) == (BODY, ["feeds.example"])
    assert server.requests[0].headers["host"] == f"feeds.example:{server.port}"


def test_a_certificate_of_nobody_we_know_is_refused(tmp_path: Path, client: Client) -> None:
    pem = tmp_path / "server.pem"
    made = subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(pem), "-out", str(tmp_path / "cert.pem")),
        ],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("no openssl command")
    pem.write_bytes(pem.read_bytes() + (tmp_path / "cert.pem").read_bytes())
    with feed_server(pem) as server:
        url = server.put("/feed", Answer(BODY))
        with pytest.raises(FetchSoft, match="TLS"):
            client.fetch(url)
        client._tls.load_verify_locations(tmp_path / "cert.pem")

        assert client.fetch(url).body == BODY
        with pytest.raises(FetchSoft, match="TLS"):
            client.fetch(server.url("/feed", host="localhost"))
