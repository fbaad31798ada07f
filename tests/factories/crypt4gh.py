"""The crypt4gh package's own programs, as others run them."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Pair:
    """Files of a key pair; `passphrase` opens the secret one."""

    secret: Path
    public: Path
    passphrase: str = ""


def _run(
    *argv: str, stdin: Path | None = None, stdout: Path | None = None, more: Mapping[str, str] | None = None
) -> None:
    environment = {**os.environ, **(more or {})}  # noqa: TID251  # for a child
    with (stdin or Path(os.devnull)).open("rb") as source, (stdout or Path(os.devnull)).open("wb") as out:
        subprocess.run(
            [sys.executable, "-m", *argv],
            stdin=source,
            stdout=out,
            stderr=subprocess.PIPE,
            env=environment,
            check=True,
            start_new_session=True,  # without a terminal the package reads passphrases from standard input
            timeout=60,
        )


def a_pair(folder: Path, name: str, passphrase: str = "") -> Pair:
    pair = Pair(folder / f"{name}.sec", folder / f"{name}.pub", passphrase)
    argv = ["crypt4gh.keys", "--sk", str(pair.secret), "--pk", str(pair.public), "-f"]
    typed = folder / f"{name}.typed"
    typed.write_text(f"{passphrase}\n{passphrase}\n")
    _run(*argv, *([] if passphrase else ["--nocrypt"]), stdin=typed)
    return pair


def theirs(plain: Path, into: Path, *recipients: Pair, sender: Pair | None = None) -> Path:
    """Encrypted by the package's own command."""
    named = [word for one in recipients for word in ("--recipient_pk", str(one.public))]
    own = ["--sk", str(sender.secret)] if sender else []
    _run("crypt4gh", "encrypt", *own, *named, stdin=plain, stdout=into)
    return into


def opened_by(pair: Pair, file: Path, into: Path, *more: str) -> bytes:
    """Decrypted by the package's own command."""
    _run(
        "crypt4gh",
        "decrypt",
        "--sk",
        str(pair.secret),
        *more,
        stdin=file,
        stdout=into,
        more={"C4GH_PASSPHRASE": pair.passphrase},
    )
    return into.read_bytes()


def edited(pair: Pair, file: Path, into: Path, start: int, end: int) -> Path:
    """Cut to a range by the package's own command: blocks are left out, and an edit list says what to pass over."""
    _run("crypt4gh", "rearrange", "--sk", str(pair.secret), "--range", f"{start}-{end}", stdin=file, stdout=into)
    return into
