"""Personal tokens, and everything that a person has open, over HTTP."""

from fabriek.access.login.credentials import Credential
from fabriek.access.login.doors import OVERSEES, VISIBLE_NAMES, OpenDoor
from fabriek.access.login.scopes import SCOPES
from fabriek.access.login.tokens import Wanted
from fabriek.schemas.base import DoneOut, PageOut
from fabriek.schemas.tokens import EndedOut, NewTokenOut, OpenDoorOut, ScopeOut, TokenIn, TokenOut
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import SIGNED_IN, Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1", tags=["access"])


def token_out(token: Credential, services: Services) -> TokenOut:
    assert token.made_at is not None, "every named token has it"
    return TokenOut(
        id=token.id, name=token.name, scopes=sorted(token.scope), project=_slug(token.project, services), made_at=token.made_at,
        used_at=services.open_doors.last_use(token), expires_at=token.expires_at,
    )  # fmt: skip


def new_token_out(token: Credential, secret: str, services: Services) -> NewTokenOut:
    return NewTokenOut(**token_out(token, services).model_dump(), token=secret)


def door_out(door: OpenDoor, services: Services) -> OpenDoorOut:
    one, login = door.credential, door.login
    return OpenDoorOut(
        id=one.id, kind=VISIBLE_NAMES.get(one.kind, one.kind), name=one.name, scopes=sorted(one.scope), project=_slug(one.project, services),
        job=one.job, made_at=one.made_at, used_at=services.open_doors.last_use(one), expires_at=one.expires_at,
        confirmed_at=one.confirmed_at, through=one.through, method=login.method if login else "", issuer=login.issuer if login else "",
        acr=login.acr if login else "", strong=login is not None and login.strong, this=door.this,
    )  # fmt: skip


def _slug(project: str, services: Services) -> str:
    return services.access.project(project).slug if project else ""


@router.get("/scopes", access=SIGNED_IN)
def list_scopes() -> PageOut[ScopeOut]:
    """What a token can be narrowed to."""
    return PageOut[ScopeOut](
        items=[ScopeOut(name=name, says=one.says, rights=sorted(one.rights)) for name, one in SCOPES.items()]
    )


# Not `once`: what is kept of a POST to know it again would hold the secret.
@router.post("/tokens", access=SIGNED_IN, status_code=201, once=False)
def create_token(wanted: TokenIn, caller: CallerDep, factory: FactoryDep) -> NewTokenOut:
    """A token of your own, narrowed to scopes and to a project where you say so. Its secret is shown now and never again."""
    asked = Wanted(wanted.name, wanted.scopes, wanted.project, wanted.days)
    return new_token_out(*factory.tokens.create(asked, by=caller), factory)


@router.get("/tokens", access=SIGNED_IN)
def list_tokens(caller: CallerDep, factory: FactoryDep) -> PageOut[TokenOut]:
    """Your own, newest first, without their secrets."""
    return PageOut[TokenOut](items=[token_out(one, factory) for one in factory.tokens.list(by=caller)])


@router.delete("/tokens/{token}", access=SIGNED_IN)
def revoke_token(token: str, caller: CallerDep, factory: FactoryDep) -> TokenOut:
    """Revoke one of your own, by name or id: from now on it opens nothing."""
    return token_out(factory.tokens.revoke(token, by=caller), factory)


@router.get("/doors", access=SIGNED_IN)
def list_doors(caller: CallerDep, factory: FactoryDep) -> PageOut[OpenDoorOut]:
    """Everything that you have open: sessions, tokens, sign-in links, visits to notebooks; newest first."""
    return PageOut[OpenDoorOut](items=[door_out(one, factory) for one in factory.open_doors.list(by=caller)])


@router.delete("/doors/{door}", access=SIGNED_IN)
def end_door(door: str, caller: CallerDep, factory: FactoryDep) -> DoneOut:
    """End one of them, with whatever was opened through it."""
    factory.open_doors.end(door, by=caller)
    return DoneOut()


@router.post("/doors/end-others", access=SIGNED_IN)
def end_other_doors(caller: CallerDep, factory: FactoryDep) -> EndedOut:
    """End all but the one that you came in by."""
    return EndedOut(ended=factory.open_doors.end_others(by=caller))


@router.get("/people/{person}/doors", access=Right(OVERSEES))
def list_doors_of(person: str, caller: CallerDep, factory: FactoryDep) -> PageOut[OpenDoorOut]:
    """Everything that somebody has open, for whoever oversees."""
    return PageOut[OpenDoorOut](items=[door_out(one, factory) for one in factory.open_doors.list(person, by=caller)])


@router.delete("/people/{person}/doors/{door}", access=Right(OVERSEES))
def end_door_of(person: str, door: str, caller: CallerDep, factory: FactoryDep) -> DoneOut:
    """End one of somebody's."""
    factory.open_doors.end(door, person, by=caller)
    return DoneOut()


@router.post("/people/{person}/doors/end-all", access=Right(OVERSEES))
def end_doors_of(person: str, caller: CallerDep, factory: FactoryDep) -> EndedOut:
    """End all that somebody has open. They sign in anew, if they still may."""
    return EndedOut(ended=factory.open_doors.end_all(person, by=caller))
