"""DSSE envelopes: a payload, its type, and signatures over both. Source: the secure-systems-lab/dsse protocol, version 1.0.2."""

import base64
import json
from typing import Any

from fabriek.kernel.errors import Damaged
from fabriek.kernel.signing import Signer, is_signed

IN_TOTO = "application/vnd.in-toto+json"


def pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """What is signed: the type and the payload, each behind its length, so that neither can be read as part of the other."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def envelope(payload: bytes, signer: Signer, payload_type: str = IN_TOTO) -> str:
    """The signed envelope as JSON."""
    signature = signer.sign(pre_authentication(payload_type, payload))
    return json.dumps({
        "payloadType": payload_type,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": signer.installation_id, "sig": base64.b64encode(signature).decode()}],
    })  # fmt: skip


def opened(text: str, public_key: bytes) -> Any:
    """The payload's JSON, if this installation signed it. Raises Damaged on anything else."""
    try:
        plain = json.loads(text)
        payload = base64.b64decode(plain["payload"], validate=True)
        message = pre_authentication(str(plain["payloadType"]), payload)
        if any(
            is_signed(public_key, message, base64.b64decode(one["sig"], validate=True)) for one in plain["signatures"]
        ):
            return json.loads(payload)
    except (ValueError, KeyError, TypeError):
        raise Damaged("the statement is not readable", fix="fetch it again", where="statement") from None
    raise Damaged(
        "the statement was not signed by this installation, or was changed", fix="fetch it again", where="statement"
    )
