"""What this machine can do for jobs, found out by doing it once."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from fabriek.node.limits import kind_here
from fabriek.node.sandbox import bubblewrap

TRY_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Capabilities:
    """`reason` and `fix` are empty where jobs can be kept apart."""

    bubblewrap: str
    sandbox: bool
    limits: str
    reason: str = ""
    fix: str = ""


def probe() -> Capabilities:
    program, limits = bubblewrap(), kind_here()
    if not program:
        return Capabilities(
            "", sandbox=False, limits=limits, reason="bubblewrap is not installed", fix="apt install bubblewrap"
        )
    walls = [
        "--unshare-all",
        "--unshare-user",
        "--uid",
        "1000",
        "--ro-bind",
        "/",
        "/",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--cap-drop",
        "ALL",
    ]
    try:
        tried = subprocess.run(
            [program, *walls, "--", "/bin/true"], capture_output=True, text=True, timeout=TRY_SECONDS, check=False
        )
        said = "" if tried.returncode == 0 else tried.stderr.strip() or f"exit code {tried.returncode}"
    except (OSError, subprocess.TimeoutExpired) as error:
        said = str(error)
    if said:
        reason, fix = _why(said)
        return Capabilities(program, sandbox=False, limits=limits, reason=reason, fix=fix)
    if not limits:
        reason = "jobs run as root cannot be bounded without control groups"
        return Capabilities(program, sandbox=False, limits="", reason=reason, fix="run the server as another user")
    return Capabilities(program, sandbox=True, limits=limits)


def _why(said: str) -> tuple[str, str]:
    if _sysctl("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return (
            "AppArmor keeps programs from making user namespaces",
            "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
        )
    if _sysctl("kernel/unprivileged_userns_clone") == "0":
        return "user namespaces are switched off", "sudo sysctl kernel.unprivileged_userns_clone=1"
    if _sysctl("user/max_user_namespaces") == "0":
        return "no user namespaces are allowed", "sudo sysctl user.max_user_namespaces=15000"
    return f"bubblewrap cannot build its walls: {said}", "see the message, then fabriek doctor again"


def _sysctl(name: str) -> str:
    try:
        return Path("/proc/sys", name).read_text("ascii").strip()
    except OSError:
        return ""
