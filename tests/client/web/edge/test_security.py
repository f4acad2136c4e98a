"""Origins: whose page a request comes from."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from client.web.edge.security import from_here, origin


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("https://chat.example.org", "https://chat.example.org"),
        ("https://chat.example.org/", "https://chat.example.org"),
        ("HTTPS://Chat.Example.ORG:443", "https://chat.example.org"),
        ("http://localhost:8570", "http://localhost:8570"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:8570", "http://[::1]:8570"),
    ],
)
def test_an_origin_is_written_in_one_way(url: str, written: str) -> None:
    assert origin(url) == written


@pytest.mark.parametrize(
    "url",
    [
        "", "null", "chat.example.org", "//chat.example.org", "ftp://chat.example.org", "file:///x", "https://",
        "https://chat.example.org/path", "https://chat.example.org?x", "https://chat.example.org#x",
        "https://ana@chat.example.org", "https://chat.example.org:x", "https://[::1", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_what_is_no_origin_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        origin(url)


@pytest.mark.parametrize(
    ("host", "said", "secure", "here"),
    [
        ("chat.example.org", ["https://chat.example.org"], True, True),
        ("chat.example.org", ["http://chat.example.org"], True, False),
        ("chat.example.org", ["https://chat.example.org"], False, False),
        ("chat.example.org:443", ["https://chat.example.org"], True, True),
        ("CHAT.example.org", ["https://chat.example.org"], True, True),
        ("chat.example.org", ["https://evil.example.org"], True, False),
        ("chat.example.org", ["https://chat.example.org.evil.example"], True, False),
        ("chat.example.org", ["https://evilchat.example.org"], True, False),
        ("chat.example.org", ["https://chat.example.org:8443"], True, False),
        ("chat.example.org", ["null"], True, False),
        ("chat.example.org", [""], True, False),
        ("chat.example.org", [], True, False),
        ("chat.example.org", ["https://chat.example.org", "https://evil.example.org"], True, False),
        ("chat.example.org", ["https://chat.example.org, https://evil.example.org"], True, False),
        ("", ["https://chat.example.org"], True, False),
        ("chat.example.org/x", ["https://chat.example.org"], True, False),
        ("localhost:8570", ["http://localhost:8570"], False, True),
        ("127.0.0.1:8570", ["http://127.0.0.1:8570"], False, True),
        ("[::1]:8570", ["http://[::1]:8570"], False, True),
        ("chat.localhost", ["http://chat.localhost"], False, True),
        # The name of another site, which leads here for a moment.
        ("evil.example:8570", ["http://evil.example:8570"], False, False),
        ("localhost.evil.example:8570", ["http://localhost.evil.example:8570"], False, False),
        ("127.0.0.1.evil.example", ["http://127.0.0.1.evil.example"], False, False),
        ("192.168.1.20:8570", ["http://192.168.1.20:8570"], False, False),
        ("inside:8570", ["https://public.example.org"], False, True),  # which the operator has named
    ],
)
def test_only_a_page_of_this_origin_or_of_a_named_one_may_ask(
    host: str, said: list[str], secure: bool, here: bool
) -> None:
    fields = CIMultiDict([("Host", host), *(("Origin", one) for one in said)])
    request = make_mocked_request("POST", "/api/login", headers=fields)
    assert from_here(request, secure=secure, others={"https://public.example.org"}) is here


@pytest.mark.parametrize(
    ("fields", "here"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": "https://a.example"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({"Origin": "https://a.example", "Sec-Fetch-Site": "none"}, False),
    ],
)
def test_what_may_come_without_an_origin_is_refused_if_it_says_another(fields: dict[str, str], here: bool) -> None:
    request = make_mocked_request("GET", "/api/server", headers=CIMultiDict({"Host": "a.example", **fields}))
    assert from_here(request, secure=True, unsaid=True) is here


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_a_browser_that_says_it_comes_from_elsewhere_is_believed(site: str) -> None:
    fields = CIMultiDict({"Host": "a.example", "Origin": "https://a.example", "Sec-Fetch-Site": site})
    assert not from_here(make_mocked_request("POST", "/api/login", headers=fields), secure=True)
