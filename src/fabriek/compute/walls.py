"""What the walls of a job may leave open, and which jobs may run without any."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from fabriek.compute.gpus import Gpus
from fabriek.compute.hosts import Listed
from fabriek.compute.machine import GangNetwork, Machine
from fabriek.compute.terms import Network, Terms
from fabriek.kernel.errors import InvalidInput, NotPermitted
from fabriek.vault.labelling.labels import Labels


def check_walls(label: str, labels: Labels, machine: Machine) -> None:
    """Raises NotPermitted for data above the lowest label on a machine that cannot keep jobs apart."""
    if label != labels.lowest and not (able := machine.able()).sandbox:
        raise NotPermitted(
            f"jobs cannot be kept apart on this machine ({able.reason}), so none may read data labelled {label}",
            rule="sandbox.required",
            fix=able.fix,
        )


def check_openings(terms: Terms, label: str, project: str, labels: Labels, machine: Machine) -> None:
    """Raises NotPermitted for a job that could carry labelled data out through a shared folder or the network, or where the operator
    allows neither; InvalidInput for a folder that is not the project's.
    """
    if terms.network is Network.HOST:
        _only_open(label, labels, "network.label", "reaches the network")
        if not machine.host_network:
            raise NotPermitted(
                "jobs have no network on this machine",
                rule="network.host",
                fix="leave --network out, or ask the operator",
            )
    if terms.hosts:
        _only_open(label, labels, "network.label", "reaches the network")
        check_hosts(terms.hosts, machine.hosts)
    if terms.port and not machine.doors:
        raise on_other_host()
    if terms.folder:
        _only_open(label, labels, "workspace.label", "shares a folder, where all is in plain,")
        home = workspace(machine.workspaces, project)
        if home is None:
            raise NotPermitted(
                "projects have no workspace on this machine",
                rule="workspace.none",
                fix="ask the operator for the setting workspaces, or send the folder along with --code",
            )
        asked = PurePosixPath(terms.folder)
        if ".." in asked.parts or home not in (asked, *asked.parents):
            raise InvalidInput(f"{terms.folder} is not in the workspace of this project", fix=f"work below {home}")


def check_shared(gpus: Gpus, label: str, labels: Labels) -> None:
    """Raises NotPermitted for a part of a GPU where the label wants a whole one: what a job left in a device's memory is there for who
    has the rest of it.
    """
    if gpus.part_milli and labels.needs_whole_gpus(label):
        raise NotPermitted(
            f"a job that reads data labelled {label} shares no GPU with another",
            rule="gpu.shared",
            fix=f"ask for a whole one: --gpus {Gpus(1_000, gpus.kind)}",
        )


def check_gang(nodes: int, label: str, labels: Labels, machine: Machine, *, batch: bool) -> None:
    """Raises NotPermitted for a gang whose members could not reach each other, or only over a network that its label keeps it from; and for a
    batch script, whose `srun` reaches no other host.
    """
    if nodes == 1 or machine.gangs is GangNetwork.OWN:
        return
    if machine.gangs is GangNetwork.NONE:
        raise NotPermitted(
            "jobs of several nodes have no network between them here",
            rule="gang.network",
            fix="ask for --nodes 1, with as many CPUs and GPUs as one node has; or ask the operator for gang_network = host",
        )
    _only_open(label, labels, "network.label", "runs on several nodes, over the network of these,")
    if batch:
        raise NotPermitted(
            "a batch script of several nodes cannot start tasks on the others here",
            rule="gang.batch",
            fix="fabriek run --nodes N -- COMMAND, which runs on every node; or ask for --nodes 1",
        )


def on_other_host() -> NotPermitted:
    """No way leads from the server into a job on another host."""
    return NotPermitted(
        "jobs here run on hosts of their own, into which no session and no shell can be opened",
        rule="session.other_host",
        fix="submit a job without --port, and follow it: fabriek job follow",
    )


def check_hosts(hosts: Sequence[str], allowed: Listed) -> None:
    """Raises NotPermitted on a host that the operator does not list."""
    for host in hosts:
        if not allowed.permits(host):
            raise NotPermitted(
                f"jobs may not reach {host} from this machine",
                rule="network.hosts",
                fix="leave it out, or ask the operator for the setting job_network_hosts",
            )


def workspace(workspaces: str, project: str) -> PurePosixPath | None:
    """The folder that the jobs of a project share with its people; None where there is none."""
    return PurePosixPath(workspaces) / project if workspaces else None


def _only_open(label: str, labels: Labels, rule: str, does: str) -> None:
    if label != labels.lowest:
        raise NotPermitted(
            f"a job that {does} may read nothing above {labels.lowest}, and this one reads {label}",
            rule=rule,
            fix="leave it out, or read data of the lowest label",
        )
