"""What operators see of the store, and what everybody sees at a dataset."""

from pathlib import Path

import httpx

from fabriek.api import app as api
from fabriek.portal import app as portal
from fabriek.vault.care.damage import Position
from fabriek.vault.care.stretches import Sample
from tests.factories.services import a_town
from tests.factories.tables import a_database
from tests.factories.vault import fill
from tests.servers.app import serving


def test_damage_and_the_last_pass_stand_on_the_pages(tmp_path: Path) -> None:
    database = a_database(tmp_path / "fabriek.db")
    town = a_town(database, tmp_path / "home")
    owner = town.person("hospital")
    project = town.project(owner)
    owner, services = town.again(owner), town.services
    services.vault.create(project, "biopsies", by=owner)
    fill(services, services.vault.open_upload(project, "biopsies", by=owner), {"a": b"1"}, by=owner)
    bad = fill(services, services.vault.open_upload(project, "biopsies", by=owner), {"secret-name": b"2"}, by=owner)
    upload = services.vault.open_upload(project, "biopsies", by=owner)
    services.vault.put_object(upload.id, services.vault.mint(upload.id, 1, by=owner)[0], [bytes(4096)], by=owner)
    with services.database.transaction():
        services.database.execute(_expired())
    shelf = tmp_path / "home" / "objects"
    for name in services.vault.checking._parts.versions.objects(bad.id) - {bad.facts.manifest}:
        (shelf / name[-2:] / name).unlink()
    at: Position | None = Position()
    while at is not None:
        at = services.vault.checking.check(at, Sample(1), by=town.operator).next
    while services.vault.scrubbing.go_on():
        pass
    app = api.build(services, portal=portal.routes(services), page_of=portal.page_of(services))
    pages = {}
    with serving(app) as url, httpx.Client(base_url=url, trust_env=False) as client:
        for who in (owner, town.operator):
            token = services.identity.issue_token(who.person, by=who)
            headers = {"Authorization": f"Bearer {token}", "Accept": "text/html"}
            pages[who.person] = client.get("/machine", headers=headers).text
            if who is owner:
                page = client.get(f"/projects/{project}/datasets/biopsies", headers=headers).text
                listed = client.get(f"/api/v1/projects/{project}/datasets/biopsies/versions", headers=headers).json()
                refused = client.get("/api/v1/store", headers=headers)
    database.close()
    assert "Last verified" in page
    assert "it is gone from the store" in page
    assert "secret-name" not in page
    assert [(one["number"], bool(one["verified_at"]), one["damage"]) for one in listed] == [
        (2, False, "it is gone from the store"),
        (1, True, ""),
    ]
    assert refused.status_code == 403
    store = pages[town.operator.person].partition("The store")[2]
    assert "4.0 KiB (abandoned, 1 object)" in store
    assert "biopsies" in store
    assert "secret-name" not in store
    assert "The store" not in pages[owner.person]


def _expired() -> object:
    from sqlalchemy import text  # noqa: PLC0415

    return text("update vault_uploads set expires_at = '2020-01-01 00:00:00.000000' where progress = 'open'")
