"""`python -m <service> ...` in a process of its own, forked from one that has loaded the libraries already.

Nothing but the start is quicker: our own modules are loaded afresh by every child, in its own environment. This module
therefore imports none of them.
"""

import multiprocessing
import os
import resource
import runpy
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess

LIBRARIES = (
    "pytest", "aiokafka", "aiokafka.admin", "asyncpg", "msgspec", "prometheus_client", "pydantic_settings", "structlog",
    "uvloop",
)  # fmt: skip

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload([*LIBRARIES])


def start(
    arguments: Sequence[str], *, environment: Mapping[str, str], log: str, memory_max: int | None = None
) -> BaseProcess:
    """A running process. `memory_max` limits its address space, in bytes."""
    process = _forks.Process(target=_run, args=(tuple(arguments), dict(environment), log, memory_max))
    process.start()
    return process


def _run(arguments: tuple[str, ...], environment: dict[str, str], log: str, memory_max: int | None) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.environ.clear()
    os.environ.update(environment)
    if memory_max:
        resource.setrlimit(resource.RLIMIT_AS, (memory_max, memory_max))
    sys.argv = list(arguments)
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
