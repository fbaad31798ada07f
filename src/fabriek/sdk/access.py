"""Organisations, people, projects and applications, for the client."""

from collections.abc import Mapping, Sequence
from typing import Any

from fabriek.schemas.access import (
    ApplicationOut,
    CallOut,
    ExportOut,
    InvitedOut,
    LinkOut,
    MemberOut,
    OrganisationOut,
    PersonOut,
    ProgressOut,
    ProjectOut,
    SignedInOut,
    WhoamiOut,
)
from fabriek.schemas.base import PageOut
from fabriek.schemas.giving import DescriptionOut
from fabriek.schemas.login import DeviceOut, DevicePollOut
from fabriek.sdk.client import Client


class Access:
    """Who takes part, and how one gets in."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def bootstrap(self, token: str, *, organisation: Mapping[str, str], name: str, email: str) -> SignedInOut:
        """The first sign-in, with the secret that `fabriek up` printed. The client keeps the token that it got."""
        body = {"token": token, "organisation": dict(organisation), "person": {"name": name, "email": email}}
        return SignedInOut.model_validate(self._client.post("/api/v1/bootstrap", json=body))

    def sign_in(self, link: str) -> SignedInOut:
        """A one-time link, or its code, against a token."""
        code = link.rstrip("/").rpartition("/")[2]
        return SignedInOut.model_validate(self._client.post("/api/v1/sign-in", json={"code": code}))

    def begin_device(self, provider: str = "") -> DeviceOut:
        """A code for a person to enter where they have a browser. provider: by its name here."""
        return DeviceOut.model_validate(self._client.post("/api/v1/login/device", json={"provider": provider}))

    def poll_device(self, device: str) -> DevicePollOut:
        """Whether somebody let the device in; ask again only after the interval that it says."""
        return DevicePollOut.model_validate(self._client.post("/api/v1/login/device/token", json={"device": device}))

    def sign_in_link(self, person: str = "") -> str:
        """A one-time link for oneself, or for anyone where one may invite."""
        return LinkOut.model_validate(self._client.post("/api/v1/sign-in-links", json={"person": person})).sign_in

    def confirm(self, code: str) -> None:
        """Shows again that it is you, by a code of your app: high acts are open through this token for a quarter of an hour."""
        self._client.post("/api/v1/confirm", json={"code": code})

    def forget_factors(self, person: str) -> None:
        """For somebody who lost every factor, by whoever may invite: a link lets them begin again."""
        self._client.delete(f"/api/v1/people/{person}/factors")

    def sign_out(self) -> None:
        self._client.post("/api/v1/sign-out")

    def whoami(self) -> WhoamiOut:
        return WhoamiOut.model_validate(self._client.get("/api/v1/whoami"))

    def create_organisation(
        self, name: str, kind: str, *, country: str = "NL", kvk: str = "", slug: str = ""
    ) -> OrganisationOut:
        body = {"name": name, "kind": kind, "country": country, "kvk": kvk, "slug": slug or None}
        return OrganisationOut.model_validate(self._client.post("/api/v1/organisations", json=body))

    def organisations(self) -> Sequence[OrganisationOut]:
        return PageOut[OrganisationOut].model_validate(self._client.get("/api/v1/organisations")).items

    def description(self, organisation: str) -> DescriptionOut:
        return DescriptionOut.model_validate(self._client.get(f"/api/v1/organisations/{organisation}/description"))

    def describe(self, organisation: str, **said: str | None) -> DescriptionOut:
        """said: sector, region, size, head; what is left out stays as it is."""
        answer = self._client.post(f"/api/v1/organisations/{organisation}/description", json=said)
        return DescriptionOut.model_validate(answer)

    def invite(self, organisation: str, name: str, email: str, roles: Sequence[str] = ()) -> InvitedOut:
        body = {"name": name, "email": email, "roles": list(roles)}
        return InvitedOut.model_validate(self._client.post(f"/api/v1/organisations/{organisation}/people", json=body))

    def people(self, organisation: str) -> Sequence[PersonOut]:
        return PageOut[PersonOut].model_validate(self._client.get(f"/api/v1/organisations/{organisation}/people")).items

    def projects(self) -> Sequence[ProjectOut]:
        return PageOut[ProjectOut].model_validate(self._client.get("/api/v1/projects")).items

    def project(self, name: str = "") -> ProjectOut:
        return ProjectOut.model_validate(self._client.get(f"/api/v1/projects/{self._client.the_project(name)}"))

    def members(self, project: str = "") -> Sequence[MemberOut]:
        path = f"/api/v1/projects/{self._client.the_project(project)}/members"
        return PageOut[MemberOut].model_validate(self._client.get(path)).items

    def add_member(self, person: str, role: str = "member", *, project: str = "") -> MemberOut:
        path = f"/api/v1/projects/{self._client.the_project(project)}/members"
        return MemberOut.model_validate(self._client.post(path, json={"person": person, "role": role}))

    def remove_member(self, person: str, *, project: str = "") -> None:
        """Takes somebody out of a project, or oneself. What they have open there ends."""
        self._client.delete(f"/api/v1/projects/{self._client.the_project(project)}/members/{person}")

    def calls(self) -> Sequence[CallOut]:
        return PageOut[CallOut].model_validate(self._client.get("/api/v1/calls")).items

    def call(self, name: str) -> CallOut:
        return CallOut.model_validate(self._client.get(f"/api/v1/calls/{name}"))

    def file_application(self, call: str, answers: Mapping[str, Any]) -> ApplicationOut:
        return ApplicationOut.model_validate(
            self._client.post("/api/v1/applications", json={"call": call, "answers": dict(answers)})
        )

    def edit_application(
        self, application: str, answers: Mapping[str, Any], *, revision: int | None = None
    ) -> ApplicationOut:
        """Changes these answers of a draft. revision: the edit that they were made on; a newer one raises Stale."""
        body = {"answers": dict(answers), "revision": revision}
        return ApplicationOut.model_validate(self._client.patch(f"/api/v1/applications/{application}", json=body))

    def progress(self, application: str) -> ProgressOut:
        """What is done, missing or wrong, section by section."""
        return ProgressOut.model_validate(self._client.get(f"/api/v1/applications/{application}/progress"))

    def export_application(self, application: str, *, lang: str = "en") -> dict[str, Any]:
        """Every question of the call with its answer."""
        path = f"/api/v1/applications/{application}/export"
        return ExportOut.model_validate(self._client.get(path, params={"lang": lang})).document

    def print_application(self, application: str, *, lang: str = "en") -> bytes:
        """The same as a PDF."""
        return self._client.get_bytes(f"/api/v1/applications/{application}/export.pdf?lang={lang}")

    def share_application(self, application: str, person: str) -> None:
        """Lets somebody of another organisation edit along."""
        self._client.post(f"/api/v1/applications/{application}/editors", json={"person": person})

    def submit_application(self, application: str) -> ApplicationOut:
        return ApplicationOut.model_validate(self._client.post(f"/api/v1/applications/{application}/submit"))

    def applications(self) -> Sequence[ApplicationOut]:
        return PageOut[ApplicationOut].model_validate(self._client.get("/api/v1/applications")).items

    def application(self, application: str) -> ApplicationOut:
        return ApplicationOut.model_validate(self._client.get(f"/api/v1/applications/{application}"))
