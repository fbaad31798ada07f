"""Where a backup may go: as the labels say of what is in it, also when somebody wrote lower ones into the rows."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from fabriek.adapters.database import metadata, open_database
from fabriek.kernel.errors import NotPermitted
from fabriek.ops.backup import check_place
from fabriek.settings import Settings
from fabriek.vault.labelling.places import read_places
from fabriek.vault.labelling.policy import labels_of
from tests.factories.vault import a_push, a_world

POLICY = """
[[label]]
name = "open"
source = "a test"
valid_from = 2026-01-01

[[label]]
name = "here"
above = ["open"]
places = ["NL"]
source = "a test"
valid_from = 2026-01-01
"""


@pytest.mark.parametrize("lowered", [False, True])
def test_what_may_be_only_here_is_not_backed_up_abroad(tmp_path: Path, lowered: bool) -> None:  # noqa: FBT001  # a parameter of the test
    (tmp_path / "labels.toml").write_text(POLICY)
    settings = Settings(home=tmp_path, labels=tmp_path / "labels.toml", place="NL/Factory", place_backup="BE/Factory")
    database = open_database(settings.database)
    metadata.create_all(database.engine)
    places, labels = read_places(settings.place, "", "", settings.place_backup), labels_of(settings.labels)
    world = a_world(database, labels=labels, places=places)
    world.directory.projects["prj_1"] = replace(world.directory.projects["prj_1"], label_ceiling="here")
    a_push(world, "biopsies", {"a": b"a"}, label="open")
    check_place(settings)
    a_push(world, "biopsies", {"a": b"b"}, label="here")
    if lowered:
        with database.transaction():
            database.execute(text("update vault_datasets set label = 'open'"))
    database.close()
    with pytest.raises(NotPermitted) as refused:
        check_place(settings)
    assert refused.value.fields["rule"] == "place.label"
    assert "the backup is in BE/Factory" in refused.value.detail
