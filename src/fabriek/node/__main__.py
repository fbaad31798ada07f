"""`python -m fabriek.node warm` and `python -m fabriek.node probe`: started by the server, by argv, never imported by it."""

import json
import sys
from dataclasses import asdict


def main() -> int:
    match sys.argv[1:]:
        case ["warm"]:
            from fabriek.node.supervisor import Doors  # noqa: PLC0415  # the probe need not import the vault's cryptography
            from fabriek.node.vault import VaultDoors  # noqa: PLC0415
            from fabriek.node.warm import serve  # noqa: PLC0415

            return serve(Doors(VaultDoors, VaultDoors, secrets=VaultDoors, images=VaultDoors))
        case ["attempt", job_file]:
            return _attempt(job_file)
        case ["task", roster, task]:
            from fabriek.node.batch import job_file_of  # noqa: PLC0415

            return _attempt(job_file_of(roster, task))
        case ["member", member_file]:
            from fabriek.node.member import run  # noqa: PLC0415
            from fabriek.node.supervisor import Doors  # noqa: PLC0415
            from fabriek.node.vault import VaultDoors  # noqa: PLC0415

            return run(member_file, Doors(VaultDoors, VaultDoors, secrets=VaultDoors, images=VaultDoors))
        case ["probe"]:
            from fabriek.node.probe import probe  # noqa: PLC0415

            sys.stdout.write(json.dumps(asdict(probe())))
            return 0
        case _:
            sys.stderr.write(
                "usage: python -m fabriek.node warm | attempt JOB_FILE | task ROSTER NUMBER | member FILE | probe\n"
            )
            return 2


def _attempt(job_file: str) -> int:
    from fabriek.node.batch import run  # noqa: PLC0415
    from fabriek.node.supervisor import Doors  # noqa: PLC0415
    from fabriek.node.vault import VaultDoors  # noqa: PLC0415

    return run(job_file, Doors(VaultDoors, VaultDoors, secrets=VaultDoors, images=VaultDoors))


if __name__ == "__main__":
    sys.exit(main())
