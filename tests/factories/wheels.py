"""Wheels that tests make themselves: sound ones, and ones with a fault of the test's choice."""

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path


def a_wheel(
    name: str = "greeter", version: str = "1.0", files: Mapping[str, str | bytes] | None = None, *, requires: Sequence[str] = (),
    headers: Sequence[str] = ("License: MIT",), record: Mapping[str, str] | None = None, said: Mapping[str, str] | None = None,
    unlisted: Mapping[str, str] | None = None,
) -> bytes:  # fmt: skip
    """The smallest wheel that pip installs. `record`: path → hash as RECORD claims it in place of the true one. `said`: what METADATA
    says of Name and Version in place of the truth. `unlisted`: files that RECORD does not name.
    """
    info = f"{name}-{version}.dist-info"
    told = {"Name": name, "Version": version} | dict(said or {})
    lines = ["Metadata-Version: 2.1", *(f"{key}: {value}" for key, value in told.items()), *headers]
    lines += [f"Requires-Dist: {one}" for one in requires]
    contents: dict[str, str | bytes] = dict(files if files is not None else {f"{name}.py": "word = 'hello'\n"})
    contents |= {
        f"{info}/METADATA": "\n".join(lines) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, content in contents.items():
            raw = content.encode() if isinstance(content, str) else content
            digest = base64.urlsafe_b64encode(hashlib.sha256(raw).digest()).rstrip(b"=").decode()
            claimed = (record or {}).get(path, f"sha256={digest}")
            rows.append(f"{path},{claimed},{len(raw)}")
            wheel.writestr(_entry(path), raw)
        for path, text in (unlisted or {}).items():
            wheel.writestr(_entry(path), text)
        wheel.writestr(_entry(f"{info}/RECORD"), "\n".join([*rows, f"{info}/RECORD,,", ""]))
    return packed.getvalue()


def _entry(path: str) -> zipfile.ZipInfo:
    """Of no time, so that the same wheel has the same bytes."""
    entry = zipfile.ZipInfo(path)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def wheel_name(name: str = "greeter", version: str = "1.0") -> str:
    return f"{name}-{version}-py3-none-any.whl"


def put_wheel(
    folder: Path, name: str, version: str, files: Mapping[str, str] | None = None, *, requires: Sequence[str] = ()
) -> Path:
    """A wheel in a folder, as pip finds it there."""
    path = folder / wheel_name(name, version)
    path.write_bytes(a_wheel(name, version, files, requires=requires))
    return path
