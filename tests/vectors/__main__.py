"""Writes docs/spec/vectors/kit anew, one file a case; with --check says whether it is as it would be written."""

import sys
from pathlib import Path

from tests.vectors.making import every_case, written

KIT = Path(__file__).parents[2] / "docs" / "spec" / "vectors" / "kit"


def main() -> int:
    wanted = {f"{case['name']}.json": written(case) for case in every_case()}
    there = {file.name: file.read_text("utf-8") for file in KIT.glob("*.json")} if KIT.exists() else {}
    if "--check" in sys.argv:
        differing = sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))
        print(f"differing: {', '.join(differing)}" if differing else "the kit is as it would be written")
        return int(bool(differing))
    KIT.mkdir(parents=True, exist_ok=True)
    for name in there.keys() - wanted.keys():
        (KIT / name).unlink()
    for name, text in wanted.items():
        (KIT / name).write_text(text, "utf-8")
    print(f"{len(wanted)} cases in {KIT}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
