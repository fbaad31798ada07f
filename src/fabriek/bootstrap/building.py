"""The one place that knows every class: from settings and a database to the services of an installation."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from fabriek.access.reviewing.reception import Reception
from fabriek.access.service import Access
from fabriek.access.store import SqlMemberships, SqlOrganisations, SqlPeople, SqlProjects
from fabriek.adapters.blobs_local import LocalBlobs
from fabriek.adapters.database import Database
from fabriek.adapters.keys import FileKeyring
from fabriek.adapters.keys_openbao import OpenBaoKeys
from fabriek.adapters.keys_pkcs11 import Pkcs11Keys
from fabriek.adapters.mail import Relay
from fabriek.adapters.masters import Masters
from fabriek.adapters.outbound import Hosts, Outbound
from fabriek.assurance.passport_service import Passports
from fabriek.assurance.service import Assurance
from fabriek.assurance.store import SqlStatements
from fabriek.audit.service import Audit
from fabriek.audit.store import SqlEvents, SqlTrees
from fabriek.bootstrap.access import intake_of, login_services
from fabriek.bootstrap.accounts import AppKeys, account_services
from fabriek.bootstrap.duties import duties_of
from fabriek.bootstrap.forecasting import forecasting_of
from fabriek.bootstrap.funding import changing_of, funding_services
from fabriek.bootstrap.joining import joining_services, teaching_of
from fabriek.bootstrap.knowledge import knowledge_of, training_of
from fabriek.bootstrap.lab import lab_services
from fabriek.bootstrap.machinery import environments, executor_of, this_machine
from fabriek.bootstrap.powering import powering_of
from fabriek.bootstrap.providers import RefreshKeys, provider_services
from fabriek.bootstrap.reporting import reporting_of
from fabriek.bootstrap.reviewing import docket_of, reviewing_of
from fabriek.compute.accounts.service import ClusterAccounts
from fabriek.compute.doors import Doors
from fabriek.compute.executors.contract import Executor
from fabriek.compute.executors.sacctmgr import Sacctmgr
from fabriek.compute.executors.slurm_commands import SlurmCommands
from fabriek.compute.installing import Installing
from fabriek.compute.logs import Logs
from fabriek.compute.machine import Machine
from fabriek.compute.notices.outbox import Outbox
from fabriek.compute.notices.store import SqlNotices
from fabriek.compute.packs.packing import Packing
from fabriek.compute.packs.store import SqlPacks
from fabriek.compute.progress import Progress
from fabriek.compute.queue import Queueing
from fabriek.compute.reaching import Reaching
from fabriek.compute.receipts import Receipts
from fabriek.compute.releasing import Releasing
from fabriek.compute.secrets.store import SqlSecrets
from fabriek.compute.secrets.strongbox import Strongbox
from fabriek.compute.service import Compute
from fabriek.compute.serving.admitting import Admitting
from fabriek.compute.serving.service import Serving
from fabriek.compute.serving.store import SqlServedModels, SqlServingKeys
from fabriek.compute.sharing.store import SqlMeans
from fabriek.compute.simulator.rehearsing import Rehearsing
from fabriek.compute.simulator.service import Simulator
from fabriek.compute.store import SqlDecisions, SqlJobs, SqlPowerLimits
from fabriek.compute.submission import Submission
from fabriek.funding.policy.policy import Policy, shipped_policy
from fabriek.kernel.clock import Clock, SystemClock
from fabriek.kernel.dated import shipped
from fabriek.kernel.errors import InvalidInput, NotPermitted
from fabriek.kernel.ids import Ids, RandomIds
from fabriek.kernel.pages import Cursors
from fabriek.kernel.signing import Keys, MasterKeys
from fabriek.packages.advisories import AdvisoryFolder
from fabriek.packages.service import Packages
from fabriek.packages.shelf import Shelf
from fabriek.packages.store import SqlApprovals, SqlFiles
from fabriek.packages.store import SqlRequests as SqlPackageRequests
from fabriek.settings import Settings
from fabriek.vault.agreeing.store import SqlTerms
from fabriek.vault.care.store_checking import SqlDamages, SqlPasses, SqlWalk
from fabriek.vault.care.store_leftovers import SqlLeftovers
from fabriek.vault.desk import Parts
from fabriek.vault.intake.store import SqlArrivals
from fabriek.vault.keeping.epochs import EpochCipher
from fabriek.vault.keeping.homes import HolderKind, OrganisationKeys
from fabriek.vault.keeping.own_keys import Connect, OwnKeys
from fabriek.vault.keeping.ports import KeyStores
from fabriek.vault.keeping.seals import Seal, SealableKeys
from fabriek.vault.keeping.store import SqlErasures, SqlHolds, SqlOrganisationKeys, SqlRotations, SqlSeals
from fabriek.vault.keeping.store_keys import SqlEpochKeys
from fabriek.vault.labelling.places import read_places
from fabriek.vault.labelling.policy import labels_of
from fabriek.vault.labelling.store import SqlProposals
from fabriek.vault.ports import Addresses, Blobs
from fabriek.vault.service import Vault
from fabriek.vault.store import SqlDatasets, SqlVersions
from fabriek.vault.store_sharing import SqlAgreements, SqlGrants, SqlRequests
from fabriek.vault.store_tags import SqlTags
from fabriek.vault.store_uploads import SqlUploads
from fabriek.web.services import Services
from fabriek.web.store import SqlAnswers

if TYPE_CHECKING:
    from obstore.store import S3Store

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # the kernel's own memory-backed file system


def build(
    settings: Settings, database: Database, *, wake: Callable[[], None], clock: Clock | None = None, ids: Ids | None = None,
    executor: Executor | None = None, machine: Machine | None = None, passphrase: str | None = None, keys: MasterKeys | None = None,
    policy: Policy | None = None,
) -> Services:  # fmt: skip
    """Every service of the embedded shape on this database. `wake` is called when the worker has something to do, `passphrase` opens the
    keyring where no file holds it, `keys` stand in for what the settings name, and `policy` for the one that is shipped.
    """
    clock, ids = clock or SystemClock(settings.zone), ids or RandomIds()
    if settings.packages not in {"operator", "approved"}:
        raise InvalidInput(
            f"packages do not come from {settings.packages!r}", fix="FABRIEK_PACKAGES=operator, or approved"
        )
    keyring = FileKeyring(settings.home / "keys", ids, passphrase=passphrase_of(settings, passphrase))
    masters = keys or masters_of(settings, keyring)
    cursors = Cursors(keyring.sign(b"fabriek cursors")[:32])
    audit = Audit(SqlEvents(database), SqlTrees(database), clock, ids, signer=keyring, cursors=cursors)
    bodies, people, projects = SqlOrganisations(database), SqlPeople(database), SqlProjects(database)
    access = Access(bodies, people, projects, audit, clock, ids)
    login = login_services(settings, database, audit=audit, clock=clock, ids=ids)
    identity = login["identity"]
    docket = docket_of(settings, database, audit, clock, ids)
    intake = intake_of(
        database, bodies, people, docket.calls, audit, clock, ids, Reception(docket), docket.asked_fields
    )
    labels = labels_of(settings.labels)
    money = funding_services(
        database, access=access, bodies=bodies, intake=intake, audit=audit, clock=clock, ids=ids, labels=labels, settings=settings,
        policy=policy or shipped_policy(),
    )  # fmt: skip
    funding = money["funding"]
    places = read_places(settings.place, settings.place_store, settings.place_nodes, settings.place_backup)
    own_rows, epoch_rows, secret_rows, sets = (
        SqlOrganisationKeys(database),
        SqlEpochKeys(database),
        SqlSecrets(database),
        SqlDatasets(database),
    )
    seal = Seal(
        SqlSeals(database), audit, clock, ids, transaction=database.transaction, locks=None if keys else keyring
    )
    sealable = SealableKeys(masters, seal.is_sealed)
    own_keys = OwnKeys(
        own_rows, audit, clock, ids, keys=sealable, connect=connect_of(settings), transaction=database.transaction
    )
    by_provider = provider_services(
        settings, database, identity=identity, audit=audit, keys=sealable, clock=clock, ids=ids,
        left=lambda person, why: joining.leavers.let_go(person, why),  # noqa: PLW0108  # it is made further down
    )  # fmt: skip
    cipher = EpochCipher(masters, clock, ids, keys_of=own_keys.keys_of, is_sealed=seal.is_sealed)
    seal.forgetting = (cipher.forget_all, own_keys.forget_all)
    blobs, addresses = store_of(settings)
    training = training_of(database, labels=labels, audit=audit, clock=clock, ids=ids)
    vault = Vault(Parts(
        datasets=sets, versions=SqlVersions(database), tags=SqlTags(database), uploads=SqlUploads(database), grants=SqlGrants(database),
        arrivals=SqlArrivals(database), arriving_bytes_max=settings.arriving_bytes_max,
        agreements=SqlAgreements(database), requests=SqlRequests(database), terms=SqlTerms(database), proposals=SqlProposals(database),
        leftovers=SqlLeftovers(database), damages=SqlDamages(database), walk=SqlWalk(database), passes=SqlPasses(database),
        epoch_keys=epoch_rows, blobs=blobs, cipher=cipher, signer=keyring, projects=access, people=identity,
        audit=audit, labels=labels, clock=clock, ids=ids, accredited=settings.accredited, places=places, addresses=addresses,
        paying=money["running_out"], trained=training,
    ), KeyStores(
        SqlHolds(database), SqlErasures(database), SqlRotations(database), expiring=sets, masters=masters,
        under_master=(epoch_rows, own_rows, secret_rows, AppKeys(database), RefreshKeys(database)),
    ), scrub_days=settings.scrub_days)  # fmt: skip
    teaching = teaching_of(database, access=access, identity=identity, rooms=vault, audit=audit, clock=clock, ids=ids)
    files, asked = SqlFiles(database), SqlPackageRequests(database)
    shelf = Shelf(
        files, SqlApprovals(database), asked, safe=vault.safe, rooms=vault, advisories=AdvisoryFolder(settings.packages_advisories),
        well_known=frozenset(shipped("fabriek.packages", "well_known.txt").split()), audit=audit, clock=clock,
    )  # fmt: skip
    packages = Packages(
        asked, files, shelf, projects=access, audit=audit, clock=clock, ids=ids, alone=settings.packages_alone
    )
    jobs, decisions, limits = SqlJobs(database), SqlDecisions(database), SqlPowerLimits(database)
    releasing = Releasing(SqlProposals(database), jobs, jobs, access, vault, audit, labels, clock, ids)
    machine = replace(machine or this_machine(settings), rates=money["policy"].rates)
    lab = lab_services(
        database, vault=vault, jobs=jobs, releasing=releasing, access=access, audit=audit, labels=labels, machine=machine, clock=clock, ids=ids
    )  # fmt: skip
    registry, facts, statements = lab["registry"], lab["facts"], SqlStatements(database)
    strongbox = Strongbox(secret_rows, jobs, access, audit, keys=sealable, clock=clock, ids=ids)
    relay, outbound = relay_of(settings), Outbound(Hosts.read(settings.outbound_hosts))
    base = settings.portal_url or f"http://localhost:{settings.port}"
    counting = keyring.sign(b"fabriek guesses")[:32]
    joining = joining_services(
        database, identity=identity, audit=audit, clock=clock, ids=ids, rooms=vault, post=relay if relay.host else None, base=base,
        funding=funding, labels=labels, secret=counting,
    )  # fmt: skip
    outbox = Outbox(
        SqlNotices(database), jobs, jobs, access, strongbox, labels, clock, base,
        mails=bool(relay.host), check_address=outbound.check,
    )  # fmt: skip
    submission = Submission(
        jobs, jobs, access, funding, vault, audit, labels, clock, ids, machine, strongbox, outbox, wake=lambda: database.after_commit(wake),
        installing=Installing(shelf) if settings.packages == "approved" else None, running_out=money["running_out"],
    )  # fmt: skip
    powering = powering_of(
        settings, database, money["policy"], jobs=jobs, limits=limits, machine=machine, executor=(executor := executor or executor_of(settings)),
        audit=audit, clock=clock, ids=ids,
        wake=submission.wake,
    )  # fmt: skip
    progress = Progress(
        jobs, jobs, jobs, decisions, limits, funding=funding, audit=audit, clock=clock, machine=machine, outbox=outbox,
        means=SqlMeans(database), guard=powering["power_guard"],
    )  # fmt: skip
    forecasts = forecasting_of(database, submission, progress, clock)
    compute = Compute(
        submission, jobs, decisions, limits, cursors, releasing, powering["power_guard"], forecasts["forecasting"].of_job
    )  # fmt: skip
    cluster_accounts = ClusterAccounts(
        Sacctmgr(SlurmCommands(settings.slurm_conf)) if settings.executor == "slurm" else None, settings.slurm_users, access=access,
        funding=funding, audit=audit, clock=clock, transactions=jobs, memberships=SqlMemberships(database),
    )  # fmt: skip
    served, serving_keys = SqlServedModels(database), SqlServingKeys(database)
    return Services(
        settings=settings, clock=clock, ids=ids, database=database, cursors=cursors, answers=SqlAnswers(database), audit=audit,
        access=access, **login, by_provider=by_provider, intake=intake, **money, teaching=teaching,
        duties=duties_of(database, money, access=access, audit=audit, clock=clock, ids=ids, zone=settings.zone), vault=vault,
        reporting=reporting_of(
            database, money["policy"], access=access, clock=clock, zone=settings.zone,
            capacity=lambda: (machine.capacity.gpus, machine.capacity.cpus),
        ),
        own_keys=own_keys, seal=seal, joining=joining,
        reviewing=reviewing_of(docket, money["awarding"]),
        changing=changing_of(database, money, Rehearsing(jobs, machine), access=access, audit=audit, clock=clock, ids=ids),
        packages=packages, compute=compute, releasing=releasing,
        receipts=Receipts(compute, money["billing"], funding), cluster_accounts=cluster_accounts, progress=progress, **lab,
        queueing=Queueing(progress, jobs, clock), **forecasts,
        packing=Packing(SqlPacks(database), submission), logs=Logs(executor, vault),
        simulator=Simulator(compute, funding, machine, clock), executor=executor, reaching=Reaching(compute, jobs, executor, audit),
        **account_services(database, people, identity, audit, keys=sealable, secret=counting, clock=clock, ids=ids),
        **powering, strongbox=strongbox, outbox=outbox, relay=relay, outbound=outbound,
        doors=Doors(submission, jobs, progress, executor, login["job_secrets"], audit),
        assurance=Assurance(statements, audit, keyring),
        training=training,
        **knowledge_of(
            database, access=access, funding=funding, vault=vault, registry=registry, base_models=lab["base_models"], labels=labels, docket=docket,
            describing=money["describing"], audit=audit, clock=clock, ids=ids, zone=settings.zone,
            by_meaning=settings.search_by_meaning, harvest_hosts=settings.harvest_hosts, base=base, compute=compute,
            planner=forecasts["planner"], lab=lab["lab"], machine=machine, environments=environments(settings),
        ),
        passports=Passports(
            lab["facts"], lab["promoting"], jobs, statements, SqlAgreements(database), access=access, funding=funding, vault=vault, signer=keyring,
            audit=audit, clock=clock,
        ),
        serving=Serving(served, serving_keys, jobs, compute, submission, registry, facts),
        admitting=Admitting(served, serving_keys, jobs, executor, identity, access, audit, clock, ZoneInfo(settings.zone), money["metering"],
                            funding.check_purpose),
    )  # fmt: skip


def relay_of(settings: Settings) -> Relay:
    """Where mail is handed in. Raises InvalidInput on settings with which none could be sent."""
    file = settings.mail_password_file
    password = (lambda: _kept_in(file, "mail_password_file")) if file is not None else None
    return Relay(
        settings.mail_host, settings.mail_port, settings.mail_from, settings.mail_tls, settings.mail_user, password
    )


def passphrase_of(settings: Settings, said: str | None) -> str | None:
    """What opens the keyring. Raises InvalidInput on a file that cannot be read."""
    return _kept_in(settings.passphrase_file, "passphrase_file") if said is None and settings.passphrase_file else said


def masters_of(settings: Settings, keyring: FileKeyring) -> MasterKeys:
    """What holds the master key, by the settings. The file's own stays beside it, for what was wrapped before. Raises InvalidInput."""
    if settings.keys == "file":
        return keyring
    if settings.keys == "pkcs11":
        if not settings.keys_module or not settings.keys_token or not settings.keys_pin_file:
            raise InvalidInput(
                "a PKCS#11 token needs a module, a label and a PIN", fix="set keys_module, keys_token, keys_pin_file"
            )
        pin = _kept_in(settings.keys_pin_file, "keys_pin_file")
        token = Pkcs11Keys(settings.keys_module, settings.keys_token, pin)
        return Masters(token, keyring, kinds=("pkcs11", "file"))
    if settings.keys == "openbao":
        if not settings.keys_url or not settings.keys_token_file:
            raise InvalidInput("OpenBao needs an address and a token", fix="set keys_url and keys_token_file")
        file = settings.keys_token_file
        server = OpenBaoKeys(
            settings.keys_url, lambda: _kept_in(file, "keys_token_file"), name=settings.keys_name, mount=settings.keys_mount,
            ca=_kept_in(settings.keys_ca_file, "keys_ca_file") if settings.keys_ca_file else "",
        )  # fmt: skip
        return Masters(server, keyring, kinds=("openbao", "file"))
    raise InvalidInput(f"no {settings.keys!r} holds master keys", fix="FABRIEK_KEYS=file, pkcs11 or openbao")


def store_of(settings: Settings) -> tuple[Blobs, Addresses | None]:
    """Where objects are, and the addresses by which clients reach them themselves, where they may. Raises InvalidInput."""
    settings.check_store()
    if settings.store == "local":
        return LocalBlobs(settings.home / "objects"), None
    inner, outer = buckets_of(settings)
    from fabriek.adapters.addresses_s3 import S3Addresses  # noqa: PLC0415  # obstore comes with an extra
    from fabriek.adapters.blobs_s3 import S3Blobs  # noqa: PLC0415
    from fabriek.adapters.turns import OneAtATime  # noqa: PLC0415

    turns = OneAtATime()
    blobs = S3Blobs(inner, turns=turns)
    return blobs, S3Addresses(inner, outer, turns=turns) if settings.store_direct else None


def buckets_of(settings: Settings) -> tuple["S3Store", "S3Store"]:
    """The bucket as this server reaches it, and as clients do. Raises InvalidInput."""
    settings.check_store()
    assert settings.store_key_file is not None, "asked for an S3 store only, whose settings were checked"
    try:
        from fabriek.adapters.s3 import open_bucket, read_key  # noqa: PLC0415
    except ModuleNotFoundError:
        raise InvalidInput("an S3 store needs a library", fix="pip install 'fabriek[s3]'") from None
    key = read_key(_text_of(settings.store_key_file, "store_key_file"), "store_key_file")
    inner = open_bucket(settings.store_bucket, key=key, endpoint=settings.store_url, region=settings.store_region)
    seen = settings.store_clients_url or settings.store_url
    return inner, open_bucket(settings.store_bucket, key=key, endpoint=seen, region=settings.store_region)


def connect_of(settings: Settings) -> Connect:
    """How organisations' own keys are reached: at listed hosts, or in tokens that this machine has."""
    listed_hosts = Outbound(Hosts.read(settings.keys_hosts), says="keys_hosts")

    def connect(told: OrganisationKeys, credential: str) -> Keys:
        if told.kind is HolderKind.OPENBAO:
            listed_hosts.check(told.place)
            return OpenBaoKeys(told.place, lambda: credential, name=told.name, mount=told.mount, ca=told.ca)
        if settings.keys_module is None:
            raise InvalidInput(
                "this installation has no PKCS#11 module", fix="ask the operator for the setting keys_module"
            )
        if told.place == settings.keys_token:
            raise NotPermitted("that token is the installation's own", rule="key_home.token", fix="name your own token")
        return Pkcs11Keys(settings.keys_module, told.place, credential, label=told.name)

    return connect


def _kept_in(file: Path, name: str) -> str:
    """The one line of a file with a secret."""
    return _text_of(file, name).removesuffix("\n")


def _text_of(file: Path, name: str) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{name} cannot be read ({type(error).__name__})", fix=f"look at {file}") from None
