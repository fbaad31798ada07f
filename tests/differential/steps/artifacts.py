"""Artifacts through the proxy: put, listed, fetched, removed; by the client, and by paths that no client would send."""

from pathlib import Path

from tests.differential.session import Step, World, act, client, raw

BEGAN = 1_740_000_000_000
DOOR = "/api/2.0/mlflow-artifacts/artifacts"


def _fetched(path: str) -> Step:
    def does(world: World) -> str:
        into = world.folder / "fetched"
        into.mkdir(exist_ok=True)
        found = Path(world.client.download_artifacts(world.known["keeps"], path, str(into)))
        return (
            found.read_text()
            if found.is_file()
            else str(sorted(str(one.relative_to(found)) for one in found.rglob("*")))
        )

    return act(f"fetched {path!r}", does)


def _folder(world: World) -> None:
    made = world.folder / "made"
    (made / "deep" / "er").mkdir(parents=True)
    (made / "a.txt").write_text("a")
    (made / "deep" / "er" / "b.txt").write_text("bb")
    world.client.log_artifacts(world.known["keeps"], str(made), "tree")


STEPS: list[Step] = [
    client("an experiment for artifacts", "create_experiment", "artifacts", keep="artifacts"),
    client("a run that keeps", "create_run", "$artifacts", start_time=BEGAN, run_name="keeps", keep="keeps"),
    client("nothing kept yet", "list_artifacts", "$keeps"),
    client("a text", "log_text", "$keeps", "hello", "hello.txt"),
    client("a text in a folder", "log_text", "$keeps", "deep", "notes/deep/one.txt"),
    client("a mapping", "log_dict", "$keeps", {"a": 1}, "config.json"),
    client("an empty text", "log_text", "$keeps", "", "empty.txt"),
    client("a name with a blank and letters of the world", "log_text", "$keeps", "x", "größe und mehr.txt"),
    client("a text over a text", "log_text", "$keeps", "hello again", "hello.txt"),
    act("a folder", _folder),
    client("what is kept", "list_artifacts", "$keeps"),
    client("what is kept in a folder", "list_artifacts", "$keeps", "notes"),
    client("what is kept deeper", "list_artifacts", "$keeps", "notes/deep"),
    client("what is kept below a file", "list_artifacts", "$keeps", "hello.txt"),
    client("what is kept where nothing is", "list_artifacts", "$keeps", "absent"),
    client("what is kept a way up", "list_artifacts", "$keeps", "../"),
    _fetched("hello.txt"), _fetched("notes/deep/one.txt"), _fetched("tree"), _fetched("empty.txt"),
    _fetched("größe und mehr.txt"),
    raw("a file is put, raw", "PUT", f"{DOOR}/$artifacts/$keeps/artifacts/raw.bin", content=b"\x00\x01\x02"),
    raw("a file is fetched, raw", "GET", f"{DOOR}/$artifacts/$keeps/artifacts/raw.bin"),
    raw("a file is fetched that is not there", "GET", f"{DOOR}/$artifacts/$keeps/artifacts/absent.bin"),
    raw("a list, raw", "GET", DOOR, params={"path": "$artifacts/$keeps/artifacts/notes"}),
    raw("a list where nothing is, raw", "GET", DOOR, params={"path": "$artifacts/$keeps/artifacts/absent"}),
    raw("a list of a way up", "GET", DOOR, params={"path": "../../etc"}),
    raw("a list from the root", "GET", DOOR, params={"path": "/etc"}),
    raw("a list of a way up, twice escaped", "GET", DOOR, params={"path": "%2e%2e/etc"}),
    raw("a list of a file scheme", "GET", DOOR, params={"path": "file:///etc"}),
    raw("a file a way up", "GET", f"{DOOR}/%2e%2e/%2e%2e/etc/passwd"),
    raw("a file a way up, half escaped", "GET", f"{DOOR}/..%2f..%2fetc/passwd"),
    raw("a file a way up, twice escaped", "GET", f"{DOOR}/%252e%252e/etc/passwd"),
    raw("a file a way up by another slash", "GET", f"{DOOR}/..%5c..%5cetc%5cpasswd"),
    raw("a file is put a way up", "PUT", f"{DOOR}/%2e%2e/%2e%2e/tmp/evil", content=b"x"),
    raw("a file is put with a name of a NUL", "PUT", f"{DOOR}/$artifacts/$keeps/artifacts/a%00b", content=b"x"),
    raw("a file is removed", "DELETE", f"{DOOR}/$artifacts/$keeps/artifacts/raw.bin"),
    raw("a file is removed twice", "DELETE", f"{DOOR}/$artifacts/$keeps/artifacts/raw.bin"),
    raw("a file is removed a way up", "DELETE", f"{DOOR}/%2e%2e/%2e%2e/tmp/evil"),
    raw("the list of a run, raw", "GET", "artifacts/list", params={"run_id": "$keeps"}),
    raw("the list of a folder of a run, raw", "GET", "artifacts/list", params={"run_id": "$keeps", "path": "notes"}),
    raw("the list of a run that is not there", "GET", "artifacts/list", params={"run_id": "0" * 32}),
    raw("the list of no run", "GET", "artifacts/list"),
    raw("the list of a run a way up", "GET", "artifacts/list", params={"run_id": "$keeps", "path": "../.."}),
    client("a table", "log_table", "$keeps", {"a": [1, 2], "b": ["x", "y"]}, "table.json"),
    client("a table again", "log_table", "$keeps", {"a": [3], "b": ["z"]}, "table.json"),
    _fetched("table.json"),
    client("the run that has a table", "get_run", "$keeps"),
]  # fmt: skip
