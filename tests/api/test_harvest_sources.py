"""Catalogues elsewhere over HTTP and in a terminal."""

import json
import subprocess
from pathlib import Path

from fabriek.adapters.database import Database
from fabriek.api import app as api
from fabriek.knowledge.exchange.dcat import CONTEXT
from fabriek.sdk.facade import Fabriek
from tests.factories.services import a_town
from tests.servers.app import serving
from tests.servers.catalogue import Page, elsewhere
from tests.servers.factory import COMMAND, clean_environment

FAR = "https://data.example.org/sets/water"
TOLD = {"@context": CONTEXT, "@graph": [
    {"@id": FAR, "@type": "dcat:Dataset", "dct:title": "Water levels"}, {"@id": f"{FAR}/2", "@type": "dcat:Dataset"},
]}  # fmt: skip


def test_added_read_and_taken_away_in_a_terminal(database: Database, tmp_path: Path) -> None:
    with elsewhere() as there:
        town = a_town(database, tmp_path / "home", harvest_hosts=there.url)
        person = town.person("ziekenhuis")
        with serving(api.build(town.services)) as url:
            token = town.services.identity.issue_token(town.operator.person, by=town.operator)
            named = clean_environment(tmp_path / "house") | {"FABRIEK_URL": url, "FABRIEK_TOKEN": token}

            def ran(*words: str) -> "subprocess.CompletedProcess[str]":
                return subprocess.run(
                    [*COMMAND, "catalogue", *words], env=named, capture_output=True, text=True, check=False, timeout=60
                )

            refused = ran("harvest", "add", "http://example.org/dcat")
            assert (refused.returncode, "https only" in refused.stderr) == (2, True)
            made = ran("harvest", "add", f"{there.url}/dcat", "--name", "The port")
            assert made.returncode == 0, made.stderr
            source = made.stdout.split()[-1]
            failed = ran("harvest", "run", source)
            assert (failed.returncode, "answered 404" in failed.stdout) == (8, True)
            there.pages["/dcat"] = Page(json.dumps(TOLD).encode())
            done = ran("harvest", "run", source)
            assert done.returncode == 0, done.stderr
            assert "The port: 1 dataset on 1 page" in done.stdout
            assert "no title" in done.stdout
            (listed,) = json.loads(ran("harvest", "ls", "--json").stdout)
            assert (listed["entries"], listed["trouble"], listed["left_out_count"]) == (1, "", 1)
            found = json.loads(ran("search", "water", "--kind", "elsewhere", "--json").stdout)
            assert [(one["title"], one["page"]) for one in found["items"]] == [("Water levels", FAR)]
            theirs = town.services.identity.issue_token(person.person, by=person)
            with Fabriek(url, theirs, "") as factory:
                assert factory.catalogue.entry(found["items"][0]["id"]).page == FAR
            assert ran("harvest", "rm", source).returncode == 0
            assert "nothing found" in ran("search", "water").stdout + ran("search", "water").stderr
            assert ran("harvest", "rm", source).returncode == 3
