"""Structured logs: one JSON object a line, with the request id, and never a secret."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import TextIO

_SECRET = re.compile(r"(?i)(bearer\s+|token[=:]\s*|/sign-in/)[A-Za-z0-9_\-.~+/]{12,}=*")
_KNOWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class JsonLines(logging.Formatter):
    """A record as one line of JSON; `extra` fields become fields."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "says": hide_secrets(record.getMessage()),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _KNOWN}
        if record.exc_info:
            line["trace"] = hide_secrets(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


def hide_secrets(text: str) -> str:
    """The text with anything that reads like a credential cut out: a second net, since none should be logged at all."""
    return _SECRET.sub(lambda found: f"{found[1]}[hidden]", text)


def log_to(stream: TextIO = sys.stderr, level: int = logging.INFO) -> None:
    """Sends all logging of this process to the stream, as JSON lines."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers[:] = []
        logging.getLogger(name).propagate = True
    for noisy in ("uvicorn.access", "httpx", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
