"""What every process writes to standard error is one JSON object a line, whatever a library says."""

import json
import subprocess
import sys

PROGRAM = """
import logging
import structlog
from medfund import logs
logs.configure()
try:
    raise ValueError("a\\nb")
except ValueError:
    logging.getLogger("aiokafka").exception('Unable connect to "%s:%s"', "127.0.0.1", 9092)
structlog.get_logger("ours").info("lane claimed", lane=3)
"""


def test_a_library_that_says_more_than_a_line_and_in_quotes_says_one_json_object() -> None:
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True, timeout=60).stderr
    theirs, ours = map(json.loads, said.splitlines())
    assert (theirs["level"], theirs["logger"]) == ("ERROR", "aiokafka")
    assert theirs["event"].startswith('Unable connect to "127.0.0.1:9092"\nTraceback')
    assert (ours["event"], ours["lane"]) == ("lane claimed", 3)
