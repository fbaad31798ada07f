"""One frozen object of settings, read once at the start: defaults < HOME/fabriek.toml < FABRIEK_* < flags."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fabriek.kernel.errors import InvalidInput

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def setting(default: Any, unit: str, says: str) -> Any:
    """A field of Settings with its unit and its line in the reference."""
    return field(default=default, metadata={"unit": unit, "says": says})


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator can choose. docs/reference/settings.md is made from this class."""

    home: Path = setting(Path.home() / ".fabriek", "folder", "Database, objects, keys and logs of this installation.")
    host: str = setting("127.0.0.1", "address", "Where the server listens. Plain HTTP is served on loopback only.")
    port: int = setting(8470, "port", "The server's port; 0 takes a free one.")
    sessions_port: int = setting(
        8471, "port", "Where web apps of jobs are reached, each at its own JOB.localhost; 0 takes a free port."
    )
    sessions_url: str = setting(
        "",
        "address",
        "Where a proxy reaches that port under any name: https://sessions.example, for https://JOB.sessions.example.",
    )
    database_url: str = setting("", "address", "postgresql://…; empty means SQLite in the home.")
    store: str = setting("local", "local or s3", "Where sealed objects are: a folder of the home, or a bucket.")
    store_bucket: str = setting("", "name", "The bucket; it must be there.")
    store_url: str = setting(
        "", "address", "The S3 store: https://s3.example:9000; empty means Amazon's own for the region."
    )
    store_region: str = setting("us-east-1", "name", "The region of the bucket, as its store calls it.")
    store_key_file: Path | None = setting(
        None, "file", "Holds the id of the store's access key on its first line, and the secret on its second."
    )
    store_direct: bool = setting(
        True,
        "yes/no",
        "Clients and nodes send and fetch sealed bytes at the store themselves, by addresses good for minutes.",
    )
    store_clients_url: str = setting("", "address", "Where clients and nodes reach that store, if not at store_url.")
    zone: str = setting(
        "Europe/Amsterdam", "time zone", "Where civil dates, such as the end of an agreement, are read."
    )
    accredited: bool = setting(False, "yes/no", "The owner declares this installation accredited for state labels.")
    confirming: str = setting(
        "enrolled",
        "enrolled or always",
        "Of whom high acts (appointing, rotating keys …) ask a second factor again: whoever has one, or everybody.",
    )
    session_idle_minutes: int = setting(
        120, "minutes", "After how long without a request a session of the portal ends; it lasts 12 hours at most."
    )
    token_days_max: int = setting(
        365, "days", "How long a personal token may last at most; one of which nothing is said lasts 30 days."
    )
    identity_providers: Path | None = setting(
        None,
        "file",
        "Where people may sign in, in TOML: see docs/howto/providers.md; empty means that they have links.",
    )
    identity_grace_minutes: int = setting(
        1440, "minutes", "How long an identity provider may be silent about somebody before what they have open ends."
    )
    review_terms: Path | None = setting(
        None, "file", "What calls promise and how they are judged, in TOML; empty means what comes with Fabriek."
    )
    review_calendar: Path | None = setting(
        None, "file", "Office hours and days off by which reviews are timed, in TOML; empty means the Dutch ones."
    )
    review_by_person: bool = setting(
        False, "yes/no", "A person checks what comes in by the short routes before it is awarded."
    )
    passphrase_file: Path | None = setting(
        None, "file", "Holds the passphrase of the keyring, where it has one and nobody is there to type it."
    )
    keys: str = setting("file", "file, pkcs11 or openbao", "What holds the master key.")
    keys_module: Path | None = setting(None, "file", "The library of the PKCS#11 token's maker.")
    keys_token: str = setting("", "label", "The PKCS#11 token with the master key.")
    keys_pin_file: Path | None = setting(None, "file", "Holds the PIN of that token.")
    keys_url: str = setting("", "address", "The OpenBao server with the master key: https://keys.example:8200.")
    keys_mount: str = setting("transit", "path", "Where its transit engine is mounted.")
    keys_name: str = setting("fabriek", "name", "The name of the master key there.")
    keys_token_file: Path | None = setting(
        None, "file", "Holds the token for OpenBao; it is read at each call, so that a renewed one is found."
    )
    keys_ca_file: Path | None = setting(
        None, "file", "Who signed that server's certificate, in PEM; empty means the system's own."
    )
    keys_hosts: str = setting(
        "", "hosts", "Where organisations' own OpenBao servers may be: HOST or HOST:PORT with commas. Empty: nowhere."
    )
    labels: Path | None = setting(
        None, "file", "The labels of this installation, in TOML; empty means those that come with it."
    )
    calls: Path | None = setting(
        None,
        "folder",
        "Calls of this installation, a TOML file each, beside those that come with it; read at the start.",
    )
    rates: Path | None = setting(
        None,
        "file",
        "What computing and storing cost, in TOML; empty means one credit for each hour: see docs/howto/tariffs.md.",
    )
    running_out: Path | None = setting(
        None, "file", "What happens when credits run out, lapse or end, in TOML; empty means what comes with Fabriek."
    )
    place: str = setting(
        "", "place", "The country in which this installation stands and its legal owner: NL/Ministerie van Defensie."
    )
    place_store: str = setting("", "place", "The same of its object store, where that stands elsewhere.")
    place_nodes: str = setting("", "place", "The same of the nodes on which jobs run, where those stand elsewhere.")
    place_backup: str = setting("", "place", "The same of where backups go, where that is elsewhere.")
    arriving_bytes_max: int = setting(
        2**40, "bytes", "What one person may have on the way through tus: announced, and in no version yet."
    )
    worker_poll_seconds: float = setting(1.0, "seconds", "How often the worker looks when nothing wakes it.")
    scrub_days: int = setting(
        30,
        "days",
        "In how long everything in the vault is read once and compared with what was written; 0 means never by itself.",
    )
    collect_hours: int = setting(
        24,
        "hours",
        "How often objects that nothing names any more are removed; 0 means only by `fabriek admin collect`.",
    )
    job_cpus_max: int = setting(0, "cores", "Cores that jobs may use together; 0 means all of this machine.")
    job_memory_bytes_max: int = setting(
        0, "bytes", "Memory that jobs may use together; 0 means three quarters of this machine's."
    )
    job_gpus_max: int = setting(0, "GPUs", "GPUs that jobs may use together, where their kinds have no names.")
    job_gpus: str = setting(
        "", "kinds", "The kinds of GPUs and how many there are, in the order of their numbers: a100:4,h100:2."
    )
    job_gpus_shared: str = setting(
        "",
        "kinds",
        "Kinds that several jobs may share, with the smallest part: a100:0.25; 0.25 where kinds have no names.",
    )
    gpu_devices: str = setting("/dev/nvidia", "path", "How the paths of GPUs' device files begin, before their number.")
    job_nodes: int = setting(
        1,
        "nodes",
        "Into how many nodes that are alike CPUs, GPUs and memory are divided; on one machine, members of a job.",
    )
    job_processes_max: int = setting(512, "processes", "Processes and threads that one job may have.")
    job_log_bytes_max: int = setting(
        64 * 2**20, "bytes", "How much of a job's output is kept; the rest is counted and dropped."
    )
    job_sample_seconds: int = setting(
        10, "seconds", "How often a job's cores, memory and GPUs are looked at and logged to its run; 0: never."
    )
    job_inputs: str = setting(
        "auto",
        "auto, copy or mount",
        "How jobs get their inputs: mounted and read in place where the node can (root and /dev/fuse), or copied into memory.",
    )
    job_grace_seconds: int = setting(10, "seconds", "Between asking a job to stop and killing it.")
    job_python: str = setting("", "path", "The interpreter whose packages jobs see; empty means the server's own.")
    jobs_unsandboxed: bool = setting(
        False,
        "yes/no",
        "Where no sandbox can be made, jobs that read nothing above `open` run all the same: they can read what the server can.",
    )
    job_network: str = setting(
        "none",
        "none or host",
        "What jobs that read nothing above `open` may ask to reach; `host` is all that this machine reaches.",
    )
    job_network_hosts: str = setting(
        "",
        "hosts",
        "What such jobs may name instead: `pypi.example, *.files.example:8443`, and inner addresses `10.1.2.0/24` to which a name may lead.",
    )
    job_images: str = setting(
        "",
        "NAME=/PATH,…",
        "SIF or squashfs files that jobs may have as their root by name, `torch=/srv/torch.sif`; any job may use one of its project's data.",
    )
    gang_network: str = setting(
        "none",
        "none or host",
        "On Slurm, what members of jobs of several nodes that read nothing above `open` have: `host` is the network of their hosts.",
    )
    serving_wait_seconds: int = setting(
        120, "seconds", "How long a served model may be silent, before its answer begins and within it."
    )
    serving_calls_per_key: int = setting(
        8, "calls", "How many calls to a served model one key may have open at a time."
    )
    workspaces: Path | None = setting(
        None,
        "folder",
        "Holds a folder for each project, which its jobs and its people share in plain; empty means none.",
    )
    portal_url: str = setting(
        "", "address", "Where people reach the portal, for links in notices; empty means this machine's own port."
    )
    trusted_proxies: str = setting(
        "",
        "addresses",
        "Proxies whose X-Forwarded-For says where a guest comes from: 10.0.0.2, 10.1.0.0/24. Empty: the connection says it.",
    )
    mail_host: str = setting(
        "", "host", "The relay that takes mail for `--notify mail`; empty means that none is sent."
    )
    mail_port: int = setting(587, "port", "The relay's port.")
    mail_from: str = setting("", "address", "Who mail comes from.")
    mail_user: str = setting("", "name", "The name that the relay knows us by; empty where it asks for none.")
    mail_password_file: Path | None = setting(None, "file", "Holds the password of that name; it is read at each mail.")
    mail_tls: str = setting("starttls", "starttls, tls or none", "How mail is kept private; `none` on loopback only.")
    outbound_hosts: str = setting(
        "",
        "hosts",
        "Where `--notify https://…` may lead: HOST or HOST:PORT with commas, and networks that are not public, 10.1.0.0/16. Empty: nowhere.",
    )
    harvest_hosts: str = setting("", "hosts", "Catalogues read besides public https: HOST:PORT with commas, and networks, 10.1.0.0/16.")  # fmt: skip
    power_contract_watts: int = setting(0, "watts", "The contracted power; 0 means no limit but those announced.")
    power_machine: str = setting("workstation", "name", "The class of this machine in the power table.")
    partitions: Path | None = setting(
        None,
        "file",
        "Nodes that are kept for jobs of some labels or purposes; on a cluster, partitions of Slurm.",
    )
    power_table: Path | None = setting(
        None,
        "file",
        "Rows of a power table of your own, of kinds of work too, beside those that are shipped; yours count where both have one.",
    )
    power_planning: str = setting(
        "nameplate", "nameplate or measured",
        "By what the draw of GPUs is planned: the most that they can draw, or what many were measured to draw together.",
    )  # fmt: skip
    power_cap_command: str = setting(
        "", "command",
        "Bounds what a GPU draws, so that eco jobs can draw less under a limit: called with NODE GPU WATTS, 0 W for no bound. Empty: nothing can.",
    )  # fmt: skip
    power_carbon: Path | None = setting(
        None, "file", "Rows of the grid's CO2 of your own; empty means those that are shipped."
    )
    scratch: Path | None = setting(None, "folder", "Memory-backed room for running jobs; empty means below /dev/shm.")
    executor: str = setting("local", "local or slurm", "What runs jobs: this machine, or Slurm.")
    slurm_conf: str = setting("", "path", "The slurm.conf that commands read; empty means the system's own.")
    slurm_rest: str = setting(
        "", "address", "slurmrestd: https://…, http:// on loopback, or unix:/path. Empty means by Slurm's commands."
    )
    slurm_jwt_key: Path | None = setting(
        None,
        "file",
        "The jwt_key of slurm.conf, which signs a token for each request; empty on a socket that knows us itself.",
    )
    slurm_user: str = setting("", "name", "Whose batch jobs they are, by REST; empty means the server's own user.")
    slurm_partition: str = setting("", "name", "The partition of jobs; empty means the default one.")
    slurm_account: str = setting("", "name", "The account of jobs; empty means the default one.")
    slurm_accounts: bool = setting(
        False,
        "yes/no",
        "Jobs go under an account of their project; accounts are kept in step with projects and members every five minutes.",
    )
    slurm_users: Path | None = setting(
        None,
        "file",
        'Who is who on the cluster, in TOML: "olga@factory.example" = "olga". People not named there are nobody there.',
    )
    slurm_shards: int = setting(
        0, "shards", "Into how many Slurm cuts each GPU (gres/shard); needed where GPUs are shared."
    )
    slurm_jobs: Path | None = setting(
        None, "folder", "Where attempts are kept; nodes must see it too. Empty means below the home."
    )
    packages: str = setting(
        "operator",
        "operator or approved",
        "Where environments of jobs come from: what this machine's pip is configured to use, or approved packages alone.",
    )
    packages_upstream: str = setting(
        "", "address", "The index from which requested packages are fetched, to be looked through; empty means none."
    )
    packages_folder: Path | None = setting(
        None, "folder", "Wheels that were carried in, from which requested packages are taken; empty means none."
    )
    packages_advisories: Path | None = setting(
        None,
        "folder",
        "Advisories in the OSV format, one a file; empty means that known vulnerabilities are not looked up.",
    )
    packages_alone: bool = setting(
        False,
        "yes/no",
        "As long as there is one person only, they may approve packages that they asked for themselves.",
    )
    search_by_meaning: bool = setting(
        True,
        "yes/no",
        "Whether entries of the catalogue are read for their meaning, where the extra `meaning` is installed.",
    )
    nodes_url: str = setting(
        "",
        "address",
        "Where nodes of other hosts reach this server, https://factory.example; empty means that all nodes are this host.",
    )
    quickstart_gpu_hours: int = setting(5000, "GPU-hours", "What the quick start's Playground allocation holds.")

    def seen_by_nodes(self, port: int) -> str:
        """Where nodes reach the server. Raises InvalidInput on an address that would show their tokens to the network."""
        if not self.nodes_url:
            return f"http://127.0.0.1:{port}"
        if not _is_private(self.nodes_url):
            raise InvalidInput(
                f"nodes_url = {self.nodes_url!r} would show the tokens of jobs to the network",
                fix="serve it with TLS: https://…",
            )
        return self.nodes_url

    def check_store(self) -> None:
        """Raises InvalidInput where the settings do not make a store."""
        if self.store == "local":
            return
        if self.store != "s3":
            raise InvalidInput(f"objects are not kept in {self.store!r}", fix="FABRIEK_STORE=local, or s3")
        if not self.store_bucket or not self.store_key_file:
            raise InvalidInput("an S3 store needs a bucket and a key", fix="set store_bucket and store_key_file")
        for name in ("store_url", "store_clients_url"):
            if (url := str(getattr(self, name))) and not _is_private(url):
                raise InvalidInput(
                    f"{name} = {url!r} would show addresses that open objects to the network",
                    fix="serve the store with TLS: https://…",
                )

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'fabriek.db'}"


def _is_private(url: str) -> bool:
    """Whether nobody between here and there can read along."""
    at = urlsplit(url)
    return at.scheme == "https" or (at.scheme == "http" and at.hostname in LOOPBACK)


def read_settings(environ: Mapping[str, str] | None = None, **flags: object) -> Settings:
    """The settings of this start. Raises InvalidInput on an unknown name or a value of the wrong kind, naming where it stands."""
    given = os.environ if environ is None else environ
    said = {name: value for name, value in flags.items() if value is not None}
    home = Path(str(said.get("home") or given.get("FABRIEK_HOME") or Settings().home)).absolute()
    values: dict[str, Any] = {}
    file = home / "fabriek.toml"
    if file.exists():
        try:
            values |= _checked(tomllib.loads(file.read_text("utf-8")), str(file))
        except tomllib.TOMLDecodeError as error:
            raise InvalidInput(f"{file} is not readable as TOML: {error}", fix=f"correct {file}") from None
    names = {entry.name for entry in fields(Settings)}
    from_environment = {
        name.removeprefix("FABRIEK_").lower(): value
        for name, value in given.items()
        if name.startswith("FABRIEK_") and name.removeprefix("FABRIEK_").lower() in names
    }
    values |= _checked(from_environment, "the environment")
    values |= _checked(said, "the command line")
    values["home"] = home
    return replace(Settings(), **values)


def _checked(values: Mapping[str, object], where: str) -> dict[str, Any]:
    kinds = {entry.name: entry for entry in fields(Settings)}
    checked: dict[str, Any] = {}
    for name, value in values.items():
        if name not in kinds:
            raise InvalidInput(f"there is no setting {name!r} (in {where})", fix="see docs/reference/settings.md")
        checked[name] = _converted(name, value, kinds[name].default, where)
    return checked


def _converted(name: str, value: object, default: object, where: str) -> object:
    try:
        if isinstance(default, bool):
            return (
                value
                if isinstance(value, bool)
                else {"yes": True, "true": True, "no": False, "false": False}[str(value).lower()]
            )
        if isinstance(default, int):
            return int(str(value))
        if isinstance(default, float):
            return float(str(value))
        if isinstance(default, Path) or default is None:
            return Path(str(value)).absolute()
    except (ValueError, KeyError):
        raise InvalidInput(
            f"{name} = {value!r} in {where} is not of the right kind", fix="see docs/reference/settings.md"
        ) from None
    return str(value)
