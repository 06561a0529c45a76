"""What every process writes to standard error is one JSON object a line, whatever a library says."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from medfund import logs


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def test_a_library_that_says_more_than_a_line_in_quotes_says_one_json_object(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure()
    try:
        raise ValueError("a\nb")
    except ValueError:
        logging.getLogger("aiokafka").exception('Unable connect to "%s:%s"', "127.0.0.1", 9092)
    structlog.get_logger("ours").info("lane claimed", lane=3)
    theirs, ours = map(json.loads, capsys.readouterr().err.splitlines())
    assert (theirs["level"], theirs["logger"]) == ("ERROR", "aiokafka")
    assert theirs["event"].startswith('Unable connect to "127.0.0.1:9092"\nTraceback')
    assert (ours["event"], ours["lane"]) == ("lane claimed", 3)
