"""The master key, the seal and organisations' own keys, for the client."""

from fabriek.kernel.invalid import checked
from fabriek.schemas.keys import KeysOut, OwnKeysIn, OwnKeysOut, RotationOut, SealIn, SealOut
from fabriek.sdk.client import Client
from fabriek.sdk.places import place_of


class Keys:
    """For operators, security officers, and those who hold an organisation's own key."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def show(self) -> KeysOut:
        """Which master key wraps now, and how far its rotation is."""
        return KeysOut.model_validate(self._client.get("/api/v1/keys"))

    def rotate(self) -> RotationOut:
        """A new master key. Asked again, it goes on where it stopped; the old key is destroyed when nothing is under it."""
        return RotationOut.model_validate(self._client.post("/api/v1/keys/rotations"))

    def rotate_dataset(self, reference: str, *, project: str = "") -> RotationOut:
        """A new key for a dataset of yours, and the keys of all its versions wrapped under it."""
        path = place_of(self._client, reference, project).path
        return RotationOut.model_validate(self._client.post(f"{path}/rotations"))

    def seal(self, reason: str) -> SealOut:
        """Seals the whole vault. Running jobs go on."""
        with checked("say why: --reason"):
            wanted = SealIn(reason=reason)
        return SealOut.model_validate(self._client.post("/api/v1/seal", json=wanted.model_dump()))

    def unseal(self, passphrase: str = "") -> SealOut:
        """Opens it. Raises NotPermitted on a wrong passphrase."""
        return SealOut.model_validate(self._client.post("/api/v1/seal/open", json={"passphrase": passphrase}))

    def seal_status(self) -> SealOut:
        return SealOut.model_validate(self._client.get("/api/v1/seal"))

    def set_own(self, organisation: str, told: OwnKeysIn) -> OwnKeysOut:
        """Tells how an organisation's own key is asked. Raises Unavailable when it does not answer, NotPermitted when it refuses."""
        body = told.model_dump() | {"credential": told.credential.get_secret_value()}
        return OwnKeysOut.model_validate(self._client.put(f"/api/v1/organisations/{organisation}/keys", json=body))

    def show_own(self, organisation: str) -> OwnKeysOut:
        return OwnKeysOut.model_validate(self._client.get(f"/api/v1/organisations/{organisation}/keys"))

    def withdraw_own(self, organisation: str) -> None:
        """Takes it back: no new grant opens on data that only this key opens."""
        self._client.delete(f"/api/v1/organisations/{organisation}/keys")
