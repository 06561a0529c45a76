"""How a process ends that lacks a setting, or cannot reach what one names.

What stays true: whoever runs it reads one sentence that says what to set, or what was not reached. Exit code 2 is for a
setting, 1 for a server.
"""

import sys
from collections.abc import Callable, Coroutine
from typing import Any

import asyncpg
import uvloop
from aiokafka.errors import KafkaError

from medfund.environment import Incomplete
from medfund.postgres import connect
from medfund.postgres.migrate import MigrationChanged

NOT_REACHED = (*connect.UNAVAILABLE, asyncpg.PostgresError, KafkaError, MigrationChanged)


def run(work: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Do the work of a process; its exit code."""
    try:
        return uvloop.run(work())
    except Incomplete as error:
        sys.stderr.write(f"{error}; docs/operators.md lists the settings\n")
        return 2
    except NOT_REACHED as error:
        sys.stderr.write(f"{connect.why(error)}\n")
        return 1
