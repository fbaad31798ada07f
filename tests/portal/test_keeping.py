"""What a dataset's page says of its keys, holds and dates."""

from datetime import timedelta
from pathlib import Path

import httpx

from fabriek.api import app as api
from fabriek.portal import app as portal
from fabriek.vault.keeping.holds import Retention
from tests.factories.services import a_town
from tests.factories.tables import a_database
from tests.factories.vault import fill
from tests.servers.app import serving


def test_the_page_of_a_dataset_says_who_holds_its_keys_what_holds_it_and_until_when(tmp_path: Path) -> None:
    database = a_database(tmp_path / "fabriek.db")
    town = a_town(database, tmp_path / "home")
    owner, officer = town.person("hospital"), town.person("factory", "security_officer")
    project = town.project(owner)
    owner, services = town.again(owner), town.services
    dataset = services.vault.create(project, "biopsies", by=owner)
    today = services.clock.today()
    keep, gone = today + timedelta(days=100), today + timedelta(days=200)
    services.vault.erasing.retain(dataset.id, Retention(keep, gone), by=owner)
    services.vault.erasing.hold(dataset.id, "a court <asked>", by=officer)
    token = services.identity.issue_token(owner.person, by=owner)
    app = api.build(services, portal=portal.routes(services), page_of=portal.page_of(services))
    with serving(app) as url, httpx.Client(base_url=url, trust_env=False) as client:
        headers = {"Authorization": f"Bearer {token}", "Accept": "text/html"}
        page = client.get(f"/projects/{project}/datasets/biopsies", headers=headers).text
    database.close()
    assert "Keys with the installation" in page
    assert "not against the operator" in page
    assert "a court &lt;asked&gt;" in page
    assert f"Kept until {keep}" in page
    assert f"Erased after {gone}" in page


def test_the_owner_sees_who_opened_it_and_others_do_not(tmp_path: Path) -> None:
    database = a_database(tmp_path / "fabriek.db")
    town = a_town(database, tmp_path / "home")
    owner, guest = town.person("hospital"), town.person("university")
    home, other = town.project(owner), town.project(guest)
    owner, guest, services = town.again(owner), town.again(guest), town.services
    dataset = services.vault.create(home, "biopsies", label="open", by=owner)
    fill(services, services.vault.open_upload(home, "biopsies", by=owner), {"a": b"1"}, by=owner)
    services.vault.publish(dataset.id, by=owner)
    services.vault.open("biopsies", project=home, by=owner)
    name = services.access.person(owner.person).name
    app = api.build(services, portal=portal.routes(services), page_of=portal.page_of(services))
    pages = []
    with serving(app) as url, httpx.Client(base_url=url, trust_env=False) as client:
        for by, project in ((owner, home), (guest, other)):
            headers = {
                "Authorization": f"Bearer {services.identity.issue_token(by.person, by=by)}",
                "Accept": "text/html",
            }
            pages.append(client.get(f"/projects/{project}/datasets/{dataset.id}", headers=headers))
    database.close()
    assert [page.status_code for page in pages] == [200, 200]
    section = pages[0].text.partition("Opened lately")[2]
    assert "@1" in section
    assert "take away" in section
    assert name in section
    assert "Opened lately" not in pages[1].text
