"""Who of the broker's clients may read and write which topic, where the broker knows its clients.

What a client may write follows from the table of speakers (`medfund.events.speakers`): each process of ours what it has
to say, a publisher a topic of which all is its to say. What stays true after `grant`: nobody else may write, change or
delete a topic of ours, save the cluster's own administrators.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaTimeoutError, for_code
from aiokafka.protocol.admin import CreateAclsRequest_v1, DescribeAclsRequest_v1
from aiokafka.protocol.api import Request

from medfund.events import speakers
from medfund.events.kinds import FAMILIES, Family
from medfund.events.speakers import Speaker
from medfund.local import CannotRun

PROCESSES: Mapping[str, frozenset[Speaker]] = {
    "ledger-worker": frozenset({Speaker.LEDGER}),
    "ledger-api": frozenset(),
    "clearing-worker": frozenset({Speaker.CLEARING}),
    "clearing-api": frozenset({Speaker.COMMAND}),
    "clearing-bank": frozenset({Speaker.BANK}),
    "direct-pay-worker": frozenset({Speaker.DIRECT_PAY}),
    "direct-pay-api": frozenset({Speaker.COMMAND}),
    "scheduler": frozenset({Speaker.SCHEDULER}),
    "verify": frozenset(),
    "retry": frozenset(),
}
"""The users of the broker that our processes are, and in whose name each speaks. The ledger's API says what publishers
hand in; `retry` repeats, under its identity, what waits on any topic."""
ASKED_ON: Mapping[str, Sequence[Family]] = {
    "clearing-api": ("claims", "prepayments", "reviews", "agency"),
    "direct-pay-api": ("purchases", "agency"),
}
"""Of all that people may say by command: what the API of each service is asked for."""

Publishers = Mapping[Speaker, Sequence[str]]
"""The users that publishers are."""

TOPIC, LITERAL, MATCHING, ALLOWED = 2, 3, 2, 3
SECURITY_DISABLED = 54
LOOKS_MAX = 150
LOOK_EVERY_S = 0.2


class Operation(IntEnum):
    """As the protocol counts them. To write and to read is also to describe."""

    ANY = 1
    ALL = 2
    READ = 3
    WRITE = 4
    DELETE = 6
    ALTER = 7
    DESCRIBE_CONFIGS = 10
    ALTER_CONFIGS = 11


CHANGES = frozenset({Operation.ALL, Operation.WRITE, Operation.DELETE, Operation.ALTER, Operation.ALTER_CONFIGS})


class Grant(NamedTuple):
    user: str
    family: Family
    operation: Operation


class NotToBeTrusted(CannotRun):
    """Somebody may write a topic who has nothing to say there; or who was named cannot be a publisher of the log."""


def grants(publishers: Publishers) -> set[Grant]:
    """All that there must be. Raises `NotToBeTrusted`."""
    for speaker, users in publishers.items():
        if users and not any(_may_publish(speaker, family) for family in FAMILIES):
            raise NotToBeTrusted(
                f"{speaker} has no topic to itself: it speaks over the ledger's API, which knows who speaks"
            )
        if taken := PROCESSES.keys() & set(users):
            raise NotToBeTrusted(f"{', '.join(sorted(taken))} is a process of ours, and no {speaker}")
    return {grant for family in FAMILIES for grant in (*_of_processes(family), *_of_publishers(family, publishers))}


def _of_processes(family: Family) -> Iterator[Grant]:
    for user, said in PROCESSES.items():
        if user != "scheduler" or family == "time":
            yield Grant(user, family, Operation.READ)
            yield Grant(user, family, Operation.DESCRIBE_CONFIGS)
        hands_on = (user == "ledger-api" and speakers.is_published(family)) or user == "retry"
        asked = family in ASKED_ON.get(user, FAMILIES)
        if hands_on or (asked and any(speakers.may_write(speaker, family) for speaker in said)):
            yield Grant(user, family, Operation.WRITE)


def _of_publishers(family: Family, publishers: Publishers) -> Iterator[Grant]:
    for speaker, users in publishers.items():
        if _may_publish(speaker, family):
            yield from (Grant(user, family, Operation.WRITE) for user in users)


def _may_publish(speaker: Speaker, family: Family) -> bool:
    return speaker in speakers.REGISTRABLE and speakers.may_write(speaker, family)


class _Create(Request[CreateAclsRequest_v1]):  # type: ignore[misc]
    """All at once; the client's own request makes one."""

    API_KEY = CreateAclsRequest_v1.API_KEY

    def __init__(self, rows: Iterable[tuple[object, ...]]) -> None:
        self._rows = list(rows)

    def build(self, request_struct_class: type[CreateAclsRequest_v1]) -> CreateAclsRequest_v1:
        return request_struct_class(self._rows)


class _Describe(Request[DescribeAclsRequest_v1]):  # type: ignore[misc]
    """Who may do what with a topic, by whatever pattern. The client's own request has the wrong form in version 2."""

    API_KEY = DescribeAclsRequest_v1.API_KEY

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def build(self, request_struct_class: type[DescribeAclsRequest_v1]) -> DescribeAclsRequest_v1:
        return request_struct_class(TOPIC, self._topic, MATCHING, None, None, Operation.ANY, ALLOWED)


class Right(NamedTuple):
    """What the broker says that somebody may, by a pattern that may be wider than the topic."""

    family: Family
    principal: str
    operation: int
    pattern: str


async def grant(admin: AIOKafkaAdminClient, wanted: set[Grant], *, prefix: str) -> bool:
    """Grant what is missing; False where the broker does not ask who its clients are.

    What others may beyond it is refused, not taken away: it is somebody's, who has to know. Raises `NotToBeTrusted`.
    """
    rows = [
        (TOPIC, f"{prefix}.{one.family}", LITERAL, _principal(one.user), "*", one.operation, ALLOWED)
        for one in sorted(wanted)
    ]
    response = await admin._send_to_controller(_Create(rows))
    for code, message in response.creation_responses:
        if code == SECURITY_DISABLED:
            return False
        if code:
            raise for_code(code)(message)
    found = await _granted(admin, wanted, prefix=prefix)
    if beyond := [f"{right.principal} may {_named(right)}" for right in found if _is_beyond(right, wanted)]:
        raise NotToBeTrusted(f"take these rights back, or register whose they are: {'; '.join(beyond)}")
    return True


async def _granted(admin: AIOKafkaAdminClient, wanted: set[Grant], *, prefix: str) -> list[Right]:
    """All rights on our topics, once those that were granted are in force: a broker says yes before that."""
    expected = {(one.family, _principal(one.user), one.operation) for one in wanted}
    for _ in range(LOOKS_MAX):
        found = [right for family in FAMILIES for right in await _rights(admin, prefix, family)]
        if expected <= {(right.family, right.principal, right.operation) for right in found}:
            return found
        await asyncio.sleep(LOOK_EVERY_S)
    raise KafkaTimeoutError("what was granted is not in force")


async def _rights(admin: AIOKafkaAdminClient, prefix: str, family: Family) -> list[Right]:
    response = await admin._send_to_controller(_Describe(f"{prefix}.{family}"))
    if response.error_code:
        raise for_code(response.error_code)(response.error_message)
    return [
        Right(family, principal, operation, pattern)
        for _, pattern, _, rights in response.resources
        for principal, _, operation, _ in rights
    ]


def _is_beyond(right: Right, wanted: set[Grant]) -> bool:
    granted = right.principal in {
        _principal(one.user) for one in wanted if (one.family, one.operation) == (right.family, right.operation)
    }
    return right.operation in CHANGES and not granted


def _principal(user: str) -> str:
    return f"User:{user}"


def _named(right: Right) -> str:
    return f"{Operation(right.operation).name} on {right.pattern}"
