"""A real Slurm on this one host: munge, MariaDB, slurmdbd, slurmctld and four named nodes, on free ports, in a folder of its own.

Needs root and Debian's packages (see `.ci/run`). Nothing of the host's own configuration is read or written.
"""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.factories.waiting import until
from tests.servers import slurm_release, slurm_rest

PROGRAMS = ("munged", "mariadbd", "mysql_install_db", "slurmdbd", "slurmctld", "slurmd", "sbatch", "sacct", "sacctmgr")
NODES = 4
CPUS_PER_NODE = 8
GPUS_PER_NODE = 4
NO_DRIVER = 240
"""A major number that no driver owns: what may be opened says that there is no such device, and what may not says so first."""

ACCOUNT = "fabriek"
STOP_SECONDS_MAX = 10
STARTS_MAX = 3
LINES_MAX = 12

SLURM_CONF = """\
ClusterName=fac
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld}
AuthType=auth/munge
AuthInfo=socket={base}/socket/s,cred_expire=10
CredType=cred/munge
SlurmUser=slurm
SlurmdUser=root
StateSaveLocation={base}/state
SlurmdSpoolDir={base}/spool/%n
SlurmctldPidFile={base}/run/slurmctld.pid
SlurmdPidFile={base}/run/slurmd.%n.pid
SlurmctldLogFile={base}/log/slurmctld.log
SlurmdLogFile={base}/log/slurmd.%n.log
SlurmdParameters=config_overrides
ReturnToService=2
MpiDefault=none
ProctrackType=proctrack/cgroup
TaskPlugin=task/cgroup
JobAcctGatherType=jobacct_gather/linux
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0,bf_interval=1
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort={dbd}
AccountingStoragePass={base}/socket/s
AccountingStorageTRES=gres/gpu
AccountingStorageEnforce=associations,limits
MinJobAge=300
KillWait=5
SlurmdTimeout=30
MessageTimeout=3
MaxArraySize=5001
NodeName={node}[1-{nodes}] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{first}-{last}] CPUs={cpus} CoresPerSocket={cpus} RealMemory=5000 \
Gres=gpu:a100:{gpus}
GresTypes=gpu
PartitionName=batch Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""

GRES_CONF = """\
NodeName={node}[1-{nodes}] Name=gpu Type=a100 File={base}/gpu[0-{last_gpu}]
"""

CGROUP_CONF = """\
ConstrainDevices=yes
"""

SLURMDBD_CONF = """\
AuthType=auth/munge
AuthInfo=socket={base}/socket/s
DbdHost=localhost
DbdPort={dbd}
SlurmUser=slurm
LogFile={base}/log/slurmdbd.log
PidFile={base}/run/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={sql}
StorageUser=slurm
StoragePass={password}
StorageLoc=slurm_acct_db
"""


def why_absent() -> str:
    """Empty when Slurm can be started here, else the reason."""
    if os.geteuid() != 0:
        return "Slurm was not tested: its daemons need root"
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    return f"Slurm was not tested: {absent[0]} is not installed" if absent else ""


@dataclass
class Cluster:
    """A running cluster. `environment` is what its commands need; the daemons can be killed and started again one by one. `newer`: of the
    release that is spoken to by REST.
    """

    base: Path
    newer: bool = False
    daemons: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {"SLURM_CONF": str(self.base / "etc" / "slurm.conf"), "PATH": os.environ["PATH"]}  # noqa: TID251  # for children

    def command(self, *words: str) -> str:
        """What a Slurm command says. Raises CalledProcessError."""
        argv = slurm_release.inside(*words) if self.newer else words
        done = subprocess.run(argv, env=self.environment, capture_output=True, text=True, check=True)
        return done.stdout

    def start(self, name: str, words: Sequence[str], user: str = "root") -> None:
        """A daemon of the host."""
        log = (self.base / "log" / f"{name}.out").open("ab")
        self.daemons[name] = subprocess.Popen(
            words, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=user, group=user, cwd=self.base,
            start_new_session=True,
        )  # fmt: skip
        log.close()

    def start_slurm(self, name: str, *words: str, user: str = "root") -> None:
        """A daemon of Slurm, of the release that this cluster runs."""
        if self.newer:
            self.start(name, slurm_release.inside(*words, user=f"{user}:"))
        else:
            self.start(name, words, user)

    def start_controller(self) -> None:
        self.start_slurm("slurmctld", "slurmctld", "-D", user="slurm")

    def start_node(self, number: int) -> None:
        self.start_slurm(f"n{number}", "slurmd", "-D", "-N", self.node(number))

    def node(self, number: int) -> str:
        """Its name, which no other cluster on this host has: by it Slurm names the control groups in which jobs are ended."""
        return f"{_node_prefix(self.base)}{number}"

    def start_accounts(self) -> None:
        """Returns when it answers."""
        self.start_slurm("slurmdbd", "slurmdbd", "-D", user="slurm")
        until(lambda: self.says("sacctmgr", "-n", "list", "cluster"))

    def start_munge(self) -> None:
        words = [
            "munged", "--foreground", f"--key-file={self.base}/munge/key", f"--socket={self.base}/socket/s", f"--pid-file={self.base}/munge/pid",
            f"--log-file={self.base}/munge/log", f"--seed-file={self.base}/munge/seed", "--num-threads=4", "--force",
        ]  # fmt: skip
        self.start("munged", words, "munge")
        until((self.base / "socket" / "s").exists)

    def says(self, *words: str) -> bool:
        """Whether a Slurm command ends well."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self.command(*words)
            return True
        return False

    def kill(self, name: str) -> None:
        self.daemons[name].kill()
        self.daemons.pop(name).wait()

    def has_ended(self) -> list[str]:
        """The daemons that are no longer there."""
        return [name for name, process in self.daemons.items() if process.poll() is not None]

    def last_words(self) -> str:
        """What each daemon wrote last, for who has to find out why there is no cluster."""
        told = [f"ended: {', '.join(self.has_ended()) or 'none'}"]
        for log in sorted((self.base / "log").iterdir()):
            if lines := log.read_text(errors="replace").splitlines()[-LINES_MAX:]:
                told += [f"-- {log.name}", *lines]
        return "\n".join(told)

    def is_up(self) -> bool:
        with contextlib.suppress(subprocess.CalledProcessError):
            states = self.command("sinfo", "-h", "-N", "-o", "%T").split()
            return len(states) == NODES and set(states) <= {"idle", "mixed", "allocated"}
        return False


@contextmanager
def running(*, newer: bool = False) -> Iterator[Cluster]:
    """Starts everything, waits until all nodes are idle, and takes it away afterwards. `newer`: with a REST interface before it.

    A start that fails is told on standard error with what each daemon wrote, and tried again in a folder, under names and on ports of its
    own: as many tests as there are on one cluster should not fail by one daemon that found its host busy. Raises AssertionError.
    """
    for turn in range(1, STARTS_MAX + 1):
        with tempfile.TemporaryDirectory(prefix="fabriek-slurm-", ignore_cleanup_errors=True) as folder:
            cluster = Cluster(Path(folder), newer)
            try:
                try:
                    _start(cluster)
                except (AssertionError, subprocess.CalledProcessError) as none:
                    print(f"start {turn} of Slurm: {none}", file=sys.__stderr__, flush=True)
                    if turn == STARTS_MAX:
                        raise
                else:
                    yield cluster
                    return
            finally:
                _stop(cluster)


def _start(cluster: Cluster) -> None:
    base = cluster.base
    base.chmod(0o755)
    _configure(base)
    if cluster.newer:
        slurm_rest.configure(base)
    cluster.start_munge()
    _start_accounting(cluster)
    cluster.start_controller()
    for number in range(1, NODES + 1):
        cluster.start_node(number)
    if cluster.newer:
        slurm_rest.start(cluster)
    until(lambda: cluster.is_up() or cluster.has_ended(), instead=cluster.last_words)
    assert not cluster.has_ended(), cluster.last_words()


def _configure(base: Path) -> None:
    for name, owner in (("etc", "slurm"), ("run", "slurm"), ("log", "slurm"), ("state", "slurm"), ("spool", "root"),
                        ("munge", "munge"), ("socket", "munge"), ("mysql", "mysql")):  # fmt: skip
        (base / name).mkdir(parents=True)
        shutil.chown(base / name, owner, owner)
    (base / "munge" / "key").write_bytes(secrets.token_bytes(1024))
    (base / "munge" / "key").chmod(0o400)
    shutil.chown(base / "munge" / "key", "munge", "munge")
    for number in range(1, NODES + 1):
        (base / "spool" / f"{_node_prefix(base)}{number}").mkdir()
    first = free_ports(NODES + 3)
    facts = {
        "node": _node_prefix(base),
        "base": base, "host": socket.gethostname(), "nodes": NODES, "cpus": CPUS_PER_NODE, "ctld": first, "dbd": first + 1, "sql": first + 2,
        "gpus": GPUS_PER_NODE, "last_gpu": GPUS_PER_NODE - 1, "first": first + 3, "last": first + 2 + NODES, "password": secrets.token_hex(16),
    }  # fmt: skip
    for number in range(GPUS_PER_NODE):
        os.mknod(base / f"gpu{number}", stat.S_IFCHR | 0o666, os.makedev(NO_DRIVER, number))
        (base / f"gpu{number}").chmod(0o666)
    for name, text in (("slurm.conf", SLURM_CONF), ("gres.conf", GRES_CONF), ("cgroup.conf", CGROUP_CONF)):
        (base / "etc" / name).write_text(text.format(**facts))
    dbd = base / "etc" / "slurmdbd.conf"
    dbd.write_text(SLURMDBD_CONF.format(**facts))
    dbd.chmod(0o600)
    shutil.chown(dbd, "slurm", "slurm")


def _node_prefix(base: Path) -> str:
    return f"h{zlib.crc32(base.name.encode())}n"


def _start_accounting(cluster: Cluster) -> None:
    base = cluster.base
    settings = dict(
        line.split("=", 1) for line in (base / "etc" / "slurmdbd.conf").read_text().splitlines() if "=" in line
    )
    data, sock = base / "mysql" / "d", base / "mysql" / "s"
    temporary = f"--tmpdir={base}/mysql"  # another that starts would remove our temporary tables from /tmp
    make = (
        "mysql_install_db", "--no-defaults", "--user=mysql", f"--datadir={data}", temporary,
        "--auth-root-authentication-method=normal", "--skip-test-db"
    )  # fmt: skip
    subprocess.run(make, capture_output=True, check=True)
    words = [
        "mariadbd", "--no-defaults", f"--datadir={data}", temporary, f"--socket={sock}", f"--port={settings['StoragePort']}",
        "--bind-address=127.0.0.1",
        "--innodb-buffer-pool-size=64M", "--innodb-lock-wait-timeout=900",
    ]  # fmt: skip
    cluster.start("mariadbd", words, "mysql")
    until(sock.exists)
    statements = (
        f"create database slurm_acct_db; create user slurm@'127.0.0.1' identified by '{settings['StoragePass']}'; "
        "grant all on slurm_acct_db.* to slurm@'127.0.0.1'"
    )
    subprocess.run(["mariadb", "--no-defaults", f"--socket={sock}", "--user=root", "-e", statements], check=True)
    cluster.start_accounts()
    cluster.command("sacctmgr", "-i", "add", "cluster", "fac")
    cluster.command("sacctmgr", "-i", "add", "account", ACCOUNT, "cluster=fac")
    cluster.command("sacctmgr", "-i", "add", "user", "name=root", f"account={ACCOUNT}")


def _stop(cluster: Cluster) -> None:
    cluster.says("scancel", "-u", "root")
    for process in cluster.daemons.values():
        process.send_signal(signal.SIGTERM)
    for process in cluster.daemons.values():
        try:
            process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_ports(count: int) -> int:
    """The first of so many free ports in a row."""
    while True:
        first = 20_000 + secrets.randbelow(10_000)
        if all(_is_free(port) for port in range(first, first + count)):
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) != 0
