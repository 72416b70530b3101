"""Endpoints as etcdctl takes them."""

from __future__ import annotations

import pytest

from lockdoctor.errors import ConfigError
from lockdoctor.etcd.connection.endpoints import parse_endpoint


@pytest.mark.parametrize(
    ("text", "target", "uses_tls"),
    [
        ("http://10.0.0.1:2379", "dns:///10.0.0.1:2379", False),
        ("https://etcd.example:4001/", "dns:///etcd.example:4001", True),
        ("etcd.example:4001", "dns:///etcd.example:4001", False),
        ("localhost", "dns:///localhost:2379", False),
        ("[::1]:2379", "dns:///[::1]:2379", False),
        ("https://[::1]", "dns:///[::1]:2379", True),
    ],
)
def test_every_form_of_an_endpoint(text: str, target: str, uses_tls: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """URLs, bare names, IPv6; the port is etcd's where none is given."""
    endpoint = parse_endpoint(text, bare_uses_tls=False)

    assert (endpoint.target, endpoint.uses_tls, endpoint.text) == (target, uses_tls, text)


def test_tls_files_make_a_bare_endpoint_speak_tls() -> None:
    """As in etcdctl; a scheme stays what it says."""
    assert parse_endpoint("a:1", bare_uses_tls=True).uses_tls
    assert not parse_endpoint("http://a:1", bare_uses_tls=True).uses_tls


def test_a_url_with_another_scheme_for_advice() -> None:
    """The advice can be copied."""
    assert parse_endpoint("[::1]:1", bare_uses_tls=False).with_scheme("https") == "https://[::1]:1"


@pytest.mark.parametrize(
    "text", ["", "ftp://a:1", "http://", "a:port", "a:99999", "http://a:1/v3", "[::1", "::1:23x"]
)
def test_what_is_no_endpoint(text: str) -> None:
    """The message quotes what was given."""
    with pytest.raises(ConfigError, match="is not an endpoint"):
        parse_endpoint(text, bare_uses_tls=False)


@pytest.mark.parametrize("text", ["http://ops:secret@a:1", "ops:secret@a:1", "x://ops:secret@[::1"])
def test_a_password_in_an_endpoint_is_refused_and_not_repeated(text: str) -> None:
    """It would stand in each report; etcdctl ignores it there."""
    with pytest.raises(ConfigError, match="An endpoint contains '@'") as refused:
        parse_endpoint(text, bare_uses_tls=False)
    assert "secret" not in str(refused.value)
