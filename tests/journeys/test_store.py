"""The store of a whole factory, from the command line: bytes that rot are found and named, what nothing names is freed, and a backup waits."""

import json
import re
from pathlib import Path

from fabriek.adapters.blobs_local import standing_still
from tests.servers.factory import Running, quickstarted


def said(factory: Running, *arguments: str, code: int = 0) -> str:
    done = factory.run(*arguments)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stdout


def objects_of(home: Path) -> dict[str, Path]:
    return {file.name: file for file in (home / "objects").rglob("obj_*") if file.parent.name != "drafts"}


def rot(file: Path) -> None:
    file.chmod(0o600)
    whole = bytearray(file.read_bytes())
    whole[len(whole) // 2] ^= 4
    file.write_bytes(whole)


def test_rot_is_found_named_and_mended_and_waste_is_freed(tmp_path: Path) -> None:
    home, data = tmp_path / "home", tmp_path / "data"
    data.mkdir()
    (data / "large.bin").write_bytes(bytes(range(256)) * 4_000)
    with quickstarted(home) as factory:
        said(factory, "data", "push", str(data), "biopsies")
        sound = json.loads(said(factory, "admin", "check", "--read-data", "100%", "--json"))
        assert (sound["sound"], sound["read_objects"], sound["orphans"]) == (True, sound["objects"], 0)
        assert "nothing is damaged" in said(factory, "admin", "check")

        rot(max(objects_of(home).values(), key=lambda file: file.stat().st_size))
        assert "nothing is damaged" in said(factory, "admin", "check"), "a size says nothing of bytes"
        found = said(factory, "admin", "check", "--read-data", "100%", code=10)
        assert re.search(r"damaged {2}playground/biopsies @1 {2}large\.bin: its bytes are not those", found), found
        assert "fix: fabriek data push DIR biopsies" in found
        (told,) = json.loads(said(factory, "admin", "check", "--json", code=10))["damage"]
        assert (told["versions"], told["path"]) == ([1], "large.bin")
        assert "its bytes" in said(factory, "admin", "store")
        assert "DAMAGED" in said(factory, "data", "log", "biopsies")
        assert "damage" in said(factory, "data", "ls")

        said(factory, "data", "push", str(data), "biopsies")
        assert "every byte is sound" in said(factory, "data", "verify", "biopsies@2")
        said(factory, "data", "rm", "biopsies@1", "--yes")
        before = objects_of(home)
        planned = said(factory, "admin", "collect", "--dry-run")
        assert re.fullmatch(r"would free: 1001\.\d KiB, 2 objects that no version uses\n", planned), planned
        assert objects_of(home).keys() == before.keys()
        (home / "objects" / "zz").mkdir(exist_ok=True)
        (home / "objects" / "zz" / "obj_lost0zz").write_bytes(b"12345")
        freed = json.loads(said(factory, "admin", "collect", "--json"))
        assert [(one["why"], one["objects"]) for one in freed["freed"]] == [("unused", 2)]
        assert freed["waiting"] == 1, "it was seen for the first time"
        assert len(objects_of(home)) == len(before) - 1
        checked = json.loads(said(factory, "admin", "check", "--read-data", "100%", "--json"))
        assert (checked["sound"], checked["orphans"]) == (True, 1)
        assert "every byte is sound" in said(factory, "data", "verify", "biopsies")

        for share in ("5x", "101%", "-1%"):
            said(factory, "admin", "check", f"--read-data={share}", code=2)
        keys, copy = tmp_path / "keys.json", tmp_path / "copy"
        with standing_still(home / "objects"):
            said(factory, "admin", "collect", code=8)
        said(factory, "backup", str(copy), "--keys", str(keys), "--home", str(home))
        said(factory, "admin", "collect")
