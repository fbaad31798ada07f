"""As which site the portal is known to browsers, and what its cookies are for: by the settings, never by what a request says of itself."""

import pytest
from fastapi import Request

from fabriek.access.login.passkeys import Site
from fabriek.kernel.errors import NotPermitted
from fabriek.portal.entering import is_private, site_of
from fabriek.portal.forms import check_same_site
from fabriek.settings import Settings


def asked(host: str = "localhost:8470", scheme: str = "http", **headers: str) -> Request:
    given = {"host": host} | {name.replace("_", "-"): value for name, value in headers.items()}
    return Request({
        "type": "http", "method": "GET", "path": "/sign-in", "query_string": b"", "scheme": scheme, "server": ("127.0.0.1", 8470),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    })  # fmt: skip


@pytest.mark.parametrize(
    "host", ["localhost:8470", "evil.example", "localhost:9999", "127.0.0.1:8470", "job-1.localhost:8471"]
)
def test_without_a_setting_it_is_this_machine_at_the_port_that_answers(host: str) -> None:
    found = site_of(asked(host, x_forwarded_host="evil.example"), Settings())
    assert found == Site("localhost", "http://localhost:8470")


@pytest.mark.parametrize(
    ("url", "host", "origin"),
    [("https://factory.example", "factory.example", "https://factory.example"),
     ("https://factory.example:8443/", "factory.example", "https://factory.example:8443"),
     ("https://Factory.Example/", "factory.example", "https://factory.example")],
)  # fmt: skip
def test_with_the_setting_it_is_that(url: str, host: str, origin: str) -> None:
    assert site_of(asked("evil.example"), Settings(portal_url=url)) == Site(host, origin)


def test_cookies_are_for_tls_alone_where_people_come_by_tls() -> None:
    assert not is_private(asked(), Settings())
    assert is_private(asked(), Settings(portal_url="https://factory.example"))
    assert is_private(asked(scheme="https"), Settings())


@pytest.mark.parametrize("said", ["cross-site", "same-site", "odd"])
def test_another_sites_form_is_refused(said: str) -> None:
    with pytest.raises(NotPermitted):
        check_same_site(asked(sec_fetch_site=said))
    check_same_site(asked(sec_fetch_site="same-origin"))
    check_same_site(asked())
