"""Addresses as they may be shown."""

from __future__ import annotations

import pytest

from copydesk.server_urls import without_password


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("redis://:hunter2@h:1/2", "redis://:…@h:1/2"),
        ("rediss://u:p%40:x@h/0?ssl_ca_certs=/ca.pem", "rediss://u:…@h/0?ssl_ca_certs=/ca.pem"),
        ("unix:///run/redis.sock?db=1&password=hunter2", "unix:///run/redis.sock?db=1&password=…"),
        ("postgresql://u@h/d?password=hunter2&sslpassword=other", "postgresql://u@h/d?password=…&sslpassword=…"),
        ("postgresql://u:hunter2@/d?host=/run", "postgresql://u:…@/d?host=/run"),
        ("host=h password=hunter2 user=u", "host=h password=… user=u"),
        (r"password = 'it\'s two' user=u", "password = … user=u"),
    ],
)
def test_a_password_is_not_shown_wherever_it_stands(url: str, shown: str) -> None:
    assert without_password(url) == shown
