"""Logging: one JSON object per line on standard error; the libraries' own logs go the same way, warnings and above."""

import json
import logging
import sys

import structlog


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        event = super().format(record)
        return json.dumps({"level": record.levelname, "logger": record.name, "event": event}, ensure_ascii=False)


def configure() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
