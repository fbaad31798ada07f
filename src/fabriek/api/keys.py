"""The master key, the seal and organisations' own keys, over HTTP. Acts that ask a key service run outside any transaction."""

from fabriek.schemas.base import DoneOut
from fabriek.schemas.keys import KeysOut, OwnKeysIn, OwnKeysOut, RotationOut, SealIn, SealOut, UnsealIn
from fabriek.vault.keeping.homes import OrganisationKeys
from fabriek.vault.keeping.own_keys import Told
from fabriek.vault.keeping.rotations import Rotation
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import PUBLIC, Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["keys"])


def rotation_out(rotation: Rotation) -> RotationOut:
    return RotationOut(
        id=rotation.id, what=rotation.what, target=rotation.target, begun_at=rotation.begun_at,
        rewrapped_at=rotation.rewrapped_at, destroyed_at=rotation.destroyed_at,
    )  # fmt: skip


def own_keys_out(keys: OrganisationKeys, services: Services) -> OwnKeysOut:
    return OwnKeysOut(
        organisation=services.access.organisation(keys.organisation).slug, kind=str(keys.kind), place=keys.place, name=keys.name,
        set_by=keys.set_by, set_at=keys.set_at, withdrawn_at=keys.withdrawn_at,
    )  # fmt: skip


@router.get("/keys", access=Right("keys.rotate"))
def show_keys(caller: CallerDep, factory: FactoryDep) -> KeysOut:
    """Which master key wraps now, and how far its rotation is."""
    current, rotation = factory.vault.rotating.newest(by=caller)
    return KeysOut(current=current, rotation=rotation_out(rotation) if rotation else None)


@router.post("/keys/rotations", access=Right("keys.rotate"), once=False)
def rotate_keys(caller: CallerDep, factory: FactoryDep) -> RotationOut:
    """A new master key, and everything wrapped under it. Asked again, it goes on where it stopped."""
    return rotation_out(factory.vault.rotating.rotate_master(by=caller))


@router.post("/projects/{project}/datasets/{dataset}/rotations", access=Right("data.manage"), once=False)
def rotate_dataset(project: str, dataset: str, caller: CallerDep, factory: FactoryDep) -> RotationOut:
    """A new key for the dataset, and the keys of all its versions wrapped under it. The owner's decision."""
    return rotation_out(factory.vault.rotating.rotate_dataset(dataset, project=project, by=caller))


@router.get("/seal", access=PUBLIC)
def show_seal(factory: FactoryDep) -> SealOut:
    """Whether the vault is sealed: all that a sealed server says."""
    record = factory.seal.standing()
    return SealOut(sealed=record is not None, since=record.sealed_at if record else None)


@router.post("/seal", access=Right("vault.seal"), once=False)
def seal(wanted: SealIn, caller: CallerDep, factory: FactoryDep) -> SealOut:
    """Seal the whole vault: nothing opens, nothing starts, running jobs go on."""
    return SealOut(sealed=True, since=factory.seal.close(wanted.reason, by=caller).sealed_at)


@router.post("/seal/open", access=Right("vault.seal"), once=False)
def unseal(wanted: UnsealIn, caller: CallerDep, factory: FactoryDep) -> SealOut:
    """Open it again."""
    factory.seal.open(passphrase=wanted.passphrase.get_secret_value(), by=caller)
    return SealOut(sealed=False)


# PUT and not POST: what is kept of a POST to know it again is a hash of its body, and a credential is in this one.
@router.put("/organisations/{organisation}/keys", access=Right("organisation.keys"))
def set_own_keys(organisation: str, wanted: OwnKeysIn, caller: CallerDep, factory: FactoryDep) -> OwnKeysOut:
    """Tell how your organisation's own key is asked. It is tried first."""
    told = Told(wanted.kind, wanted.place, wanted.credential.get_secret_value(), wanted.name, wanted.mount, wanted.ca)
    return own_keys_out(factory.own_keys.set(factory.access.organisation(organisation).id, told, by=caller), factory)


@router.get("/organisations/{organisation}/keys", access=Right("organisation.keys"))
def show_own_keys(organisation: str, caller: CallerDep, factory: FactoryDep) -> OwnKeysOut:
    """What your organisation told of its own key, without the credential."""
    return own_keys_out(factory.own_keys.show(factory.access.organisation(organisation).id, by=caller), factory)


@router.delete("/organisations/{organisation}/keys", access=Right("organisation.keys"))
def withdraw_own_keys(organisation: str, caller: CallerDep, factory: FactoryDep) -> DoneOut:
    """Take it back: no new grant opens on data that only this key opens."""
    factory.own_keys.withdraw(factory.access.organisation(organisation).id, by=caller)
    return DoneOut()
