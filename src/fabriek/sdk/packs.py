"""Jobs for machines that we do not run, for the client: pack one into a folder, take back what it made."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from fabriek.kernel.errors import FabriekError
from fabriek.schemas.assurance import StatementOut
from fabriek.schemas.base import PageOut
from fabriek.schemas.foreign import ForeignJobIn
from fabriek.schemas.packs import PackIn, PackOut, ResultsIn, ResultsOut, ReturnIn, SealIn
from fabriek.sdk.client import Client
from fabriek.sdk.compute import Compute
from fabriek.sdk.folders import survey
from fabriek.sdk.hashing import hashed
from fabriek.sdk.packing.results import folder_of, read_results
from fabriek.sdk.packing.writing import STATEMENT, check_place, fill, staged
from fabriek.sdk.push import send_folder
from fabriek.sdk.vault import Vault
from fabriek.sealing.pages import content_hash


class Packs:
    """Pack, take back, withdraw, look."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def pack(
        self, into: str | Path, command: Sequence[str], *, data: Mapping[str, str] | None = None, code: str | Path | None = None,
        requirements: str | Path | None = None, with_data: bool | None = None, project: str = "", **asked: Any,
    ) -> PackOut:  # fmt: skip
        """What `Compute.run` would submit, as a folder for elsewhere; `into` must not be there yet. with_data: None takes the inputs along
        where all of them may leave, False their list alone, True refuses otherwise.

        Every rule is asked before anything is written. Raises NotPermitted naming the rule, InvalidInput.
        """
        check_place(Path(into))
        wanted = Compute(self._client).asked(
            command, data=data, code=code, requirements=requirements, project=project, **asked
        )
        return self._packed(Path(into), PackIn(job=wanted, data=with_data), project)

    def pack_job(self, job: str, folder: str | Path, *, with_data: bool | None = None, project: str = "") -> PackOut:
        """What a job of ours reads and runs, once more, as a folder for elsewhere."""
        check_place(Path(folder))
        return self._packed(Path(folder), PackIn(of_job=job, data=with_data), project)

    def take_back(
        self, pack: str, results: str | Path, site: str, *, usage: ForeignJobIn | None = None, project: str = ""
    ) -> PackOut:
        """Seals results (a folder as job.sh left it, or a tar of one) as a version of the pack's own. The same once more changes nothing.

        Raises InvalidInput, naming the file, on what is not as job.sh left it.
        """
        path = f"{self._base(project)}/{pack}"
        with folder_of(Path(results)) as folder:
            found = read_results(folder, pack)
            taken = survey(folder)
            asked = ResultsIn(content_hash=content_hash(hashed(taken)))
            coming = ResultsOut.model_validate(self._client.post(f"{path}/results", json=asked.model_dump()))
            version = coming.version
            if coming.upload is not None:
                sent = send_folder(self._client, coming.upload, taken, None, lambda _: None).version
                assert sent is not None, "it builds on nothing that could be the same"
                version = sent.id
        said = ReturnIn(site=site, exit_code=found.exit_code, results=found.sha256, version=version, usage=usage)
        return PackOut.model_validate(self._client.post(f"{path}/return", json=said.model_dump(mode="json")))

    def withdraw(self, pack: str, *, project: str = "") -> PackOut:
        return PackOut.model_validate(self._client.post(f"{self._base(project)}/{pack}/withdraw"))

    def show(self, pack: str, *, project: str = "") -> PackOut:
        return PackOut.model_validate(self._client.get(f"{self._base(project)}/{pack}"))

    def list(self, *, project: str = "") -> Sequence[PackOut]:
        return PageOut[PackOut].model_validate(self._client.get(self._base(project))).items

    def statement(self, pack: str, *, project: str = "") -> StatementOut:
        """Of what came back; of the pack itself while nothing has."""
        return StatementOut.model_validate(self._client.get(f"{self._base(project)}/{pack}/statement"))

    def _packed(self, folder: Path, wanted: PackIn, project: str) -> PackOut:
        answer = self._client.post(self._base(project), json=wanted.model_dump(mode="json"))
        pack = PackOut.model_validate(answer)
        try:
            with staged(folder) as stage:
                sealing = SealIn(checksums=fill(stage, pack, Vault(self._client)))
                answer = self._client.post(f"{self._base(project)}/{pack.id}/seal", json=sealing.model_dump())
                (stage / STATEMENT).write_text(StatementOut.model_validate(answer).envelope + "\n", "utf-8")
        except BaseException:
            with suppress(FabriekError):  # a pack without its folder is none
                self.withdraw(pack.id, project=project)
            raise
        return self.show(pack.id, project=project)

    def _base(self, project: str) -> str:
        return f"/api/v1/projects/{self._client.the_project(project)}/packs"
