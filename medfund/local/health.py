"""Whether a stack is well: what the API of each service says of it. A worker that hangs cannot say that all is well."""

import json
from typing import get_args

from medfund.lanes.log import FaultCode
from medfund.local.services import HEALTH, SERVICES, answer, process
from medfund.local.state import State

BOOKS = "ledger"


def faults(found: State) -> set[str]:
    """What is wrong, in the API's words; of another service than the books with its name before them."""
    return {_said(service, fault) for service in SERVICES for fault in _of(found, service)}


def _said(service: str, fault: str) -> str:
    return fault if service == BOOKS else f"{service}_{fault}"


NO_ANSWER = "no_answer"
"""Of an API that does not run, or answers nobody: it cannot say what is wrong."""
BEHIND = {_said(service, "stale") for service in SERVICES}
"""A backlog may take long to book."""
STANDING = BEHIND | {_said(service, fault) for service in SERVICES for fault in ("lane_stopped", *get_args(FaultCode))}
"""What people put right while everything runs."""


def _of(found: State, service: str) -> set[str]:
    [port] = [int(part.address.rpartition(":")[2]) for part in found.parts if part.name == process(service, "api")]
    answered = answer(port, HEALTH)
    return {NO_ANSWER} if answered is None else set(json.loads(answered[1]).get("faults", ()))
