"""What must exist before the services start: the topics, and each service's schema and roles.

Everything here may be repeated: what exists stays as it is, and what exists otherwise than asked for is refused.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from medfund.events.kinds import FAMILIES
from medfund.events.sources import SourceRegistered, SourcesOpened
from medfund.lanes import decisions, fetched, knocking, partition, watching
from medfund.lanes.fetched import UNPACKED_BYTES_MAX
from medfund.lanes.kafka import KafkaLog
from medfund.lanes.log import Decision, Fault
from medfund.lanes.worker import Leases
from medfund.local import CannotRun, permissions
from medfund.local.settings import PrepareSettings
from medfund.postgres import connect
from medfund.postgres.provision import SQL, provision

CALL_TIMEOUT_S = 30.0
LOOKS_MAX = 100
LOOK_EVERY_S = 0.1
RENEWED_S = 2 * Leases().renew_s
TOPIC_EXISTS, INVALID_CONFIG = 36, 40
COPIES_MAX = 3
LOOK_MS = 250
OPENING = b"sources.opened.v1"
CONFIG = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": str(24 << 20),
}
"""A record stays for ever, carries the broker's time, and may be long enough to be refused for its length."""
NEWER_CONFIG = {"max.decompressed.message.bytes": str(UNPACKED_BYTES_MAX)}
"""What brokers of the year 2026 know besides: a record that unpacks to more is refused to its publisher."""


class Unusable(CannotRun):
    """A server cannot be reached, or does not do what it is asked."""


class NotAsAsked(CannotRun):
    """Something exists already, and otherwise than asked for."""


async def topics(
    bootstrap: str,
    *,
    prefix: str,
    lanes: int,
    families: Sequence[str] = FAMILIES,
    limit_s: float = CALL_TIMEOUT_S,
    strict: bool = True,
    identity: Mapping[str, Any],
) -> None:
    """One topic per family, all with the same number of partitions. Raises `NotAsAsked`; what a topic is set to is
    passed over where it is not `strict`: workers and health tell of it, and whoever sets it right needs the broker."""
    names = [f"{prefix}.{family}" for family in families]
    async with _broker(bootstrap, identity, limit_s) as admin:
        brokers = (await admin.describe_cluster())["brokers"]
        await _create(admin, names, lanes=lanes, copies=min(COPIES_MAX, len(brokers)))
        await _check(admin, names, lanes=lanes)
        for fault in await watching.settings_of(admin, names, lanes=lanes) if strict else ():
            raise NotAsAsked(f"{fault.code}: topic {fault.topic} has {fault.detail}; see docs/operators.md")


async def rights(
    bootstrap: str, *, prefix: str, publishers: permissions.Publishers, identity: Mapping[str, Any]
) -> bool:
    """Who may write and read the topics; False where the broker does not ask who its clients are.

    Raises `permissions.NotToBeTrusted`.
    """
    wanted = permissions.grants(publishers)
    async with _broker(bootstrap, identity, CALL_TIMEOUT_S) as admin:
        return await permissions.grant(admin, wanted, prefix=prefix)


@asynccontextmanager
async def _broker(bootstrap: str, identity: Mapping[str, Any], limit_s: float) -> AsyncIterator[AIOKafkaAdminClient]:
    """As the cluster's administrator. Raises `Unusable`."""
    broker = {"bootstrap_servers": bootstrap, **identity}
    admin = AIOKafkaAdminClient(**broker, request_timeout_ms=int(limit_s * 1000))
    try:
        await knocking.let_in(admin.start(), broker)
        yield admin
    except KafkaError as error:
        raise Unusable(f"the broker at {bootstrap} cannot be used: {error}") from error
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, names: Iterable[str], *, lanes: int, copies: int) -> None:
    for config in ({**CONFIG, **NEWER_CONFIG}, CONFIG):
        response = await admin.create_topics([NewTopic(name, lanes, copies, topic_configs=config) for name in names])
        failed = [(name, code, why) for name, code, why in response.topic_errors if code not in (0, TOPIC_EXISTS)]
        if not any(code == INVALID_CONFIG for _, code, _ in failed):
            break
    for name, _, message in failed:
        raise NotAsAsked(f"topic {name} could not be created: {message}")


async def _check(admin: AIOKafkaAdminClient, names: list[str], *, lanes: int) -> None:
    """A topic that was made a moment ago may not be known to the broker that is asked: it is waited for."""
    for _ in range(LOOKS_MAX):
        topics = await admin.describe_topics(names)
        if not any(topic["error_code"] for topic in topics):
            break
        await asyncio.sleep(LOOK_EVERY_S)
    for topic in topics:
        if topic["error_code"]:
            raise Unusable(f"topic {topic['topic']} cannot be looked at: error {topic['error_code']}")
        if (found := len(topic["partitions"])) != lanes:
            raise NotAsAsked(f"topic {topic['topic']} has {found} partitions instead of {lanes}: lanes never change")


async def opened(
    bootstrap: str,
    *,
    prefix: str,
    lanes: int,
    asked_from: date | None = None,
    registry: Sequence[SourceRegistered] = (),
    identity: Mapping[str, Any],
) -> None:
    """Every lane asks who may say what, from now or from a day on, if nobody told it before; `registry`: the sources
    that are registered with that. It is the first thing on a new log."""
    log = KafkaLog(bootstrap, prefix=prefix, identity=identity)
    try:
        told = await _told({"bootstrap_servers": bootstrap, **identity}, f"{prefix}.agency", lanes)
        for lane in sorted(set(range(lanes)) - told):
            first = opening(lane, lanes, SourcesOpened(asked_from=asked_from))
            await log.append(lane, [first, *(_registered(first, one) for one in registry)])
    except (KafkaError, TimeoutError) as error:
        raise Unusable(f"the broker at {bootstrap} cannot be used: {error}") from error
    finally:
        await log.close()


def opening(lane: int, lanes: int, event: SourcesOpened) -> Decision:
    now = datetime.now(UTC).isoformat()
    return decisions.decision(
        event, key=partition.lane_key(lane, lanes), source="/prepare", id=f"sources/{lane}", time=now
    )


def _registered(first: Decision, event: SourceRegistered) -> Decision:
    return decisions.decision(
        event, key=first.key, source="/clearing/commands", id=f"trial{event.source}", time=first.time
    )


async def _told(broker: Mapping[str, Any], topic: str, lanes: int) -> set[int]:
    """The lanes that were told already."""
    # Not by seeking to the beginning: the client may still be on its way to the end, and then it is the end.
    consumer = AIOKafkaConsumer(
        enable_auto_commit=False, auto_offset_reset="earliest", isolation_level="read_committed", **broker
    )
    found: set[int] = set()
    try:
        await consumer.start()
        left = {TopicPartition(topic, lane) for lane in range(lanes)}
        consumer.assign(left)
        ends = await consumer.end_offsets(list(left))
        while left := {place for place in left if await consumer.position(place) < ends[place]}:
            for place, records in (await consumer.getmany(*left, timeout_ms=LOOK_MS)).items():
                if any(("ce_type", OPENING) in record.headers for record in records):
                    found.add(place.partition)
            left = {place for place in left if place.partition not in found}
    finally:
        await fetched.stop(consumer)
    return found


async def database(server: str, name: str) -> str:
    """The administrator's DSN of the database, which is made where it is missing."""
    async with _administrator(server) as admin:
        if not await admin.fetchval("select true from pg_database where datname = $1", name):
            await admin.execute(f'create database "{name}"')
    return dsn(server, database=name)


async def everything(settings: PrepareSettings) -> bool:
    """Topics, rights, schemas and roles on the servers that the settings name; False where the broker knows nobody."""
    bootstrap, prefix, lanes = settings.kafka_bootstrap, settings.topic_prefix, settings.lanes
    identity = settings.identity
    await topics(bootstrap, prefix=prefix, lanes=lanes, identity=identity)
    known = await rights(bootstrap, prefix=prefix, publishers=settings.kafka_publishers, identity=identity)
    for fault in await _held_up(settings):
        sys.stderr.write(f"{fault.code}: {fault.topic}, lane {fault.lane}: {fault.detail}; see docs/operators.md\n")
    await opened(bootstrap, prefix=prefix, lanes=lanes, asked_from=settings.sources_asked_from, identity=identity)
    for service, passwords in settings.passwords().items():
        await roles(settings.database_url, service, passwords)
    return known


async def _held_up(settings: PrepareSettings) -> list[Fault]:
    """What a topic is set to was refused before; a transaction that somebody left open does not keep us. Raises
    `Unusable`."""
    broker = settings.kafka_bootstrap
    try:
        found = await watching.look(
            broker, prefix=settings.topic_prefix, families=FAMILIES, lanes=settings.lanes, identity=settings.identity
        )
    except (KafkaError, OSError, TimeoutError) as error:
        raise Unusable(f"the broker at {broker} cannot be used: {error}") from error
    return watching.grave(found)


async def roles(admin_dsn: str, service: str, passwords: Mapping[str, str]) -> None:
    """The schema and the roles of a service; `passwords` by role. Raises `NotAsAsked` where they are another
    installation's."""
    async with _administrator(admin_dsn) as admin:
        await _ours(admin, admin_dsn, service, passwords["owner"])
        await provision(admin, service, dict(passwords))


async def _ours(admin: asyncpg.Connection, admin_dsn: str, service: str, password: str) -> None:
    """Roles are the whole server's: those of another installation would lose their passwords to ours. The owner's
    password tells installations apart."""
    role = f"{service.replace('-', '_')}_owner"
    elsewhere = await admin.fetchval(SQL.elsewhere, role)
    if elsewhere and not await _lets_in(dsn(admin_dsn, user=role, password=password)):
        raise NotAsAsked(
            f"role {role} of this server is that of the installation in database {elsewhere}, with another password; "
            "roles are the whole server's: use a server for each installation"
        )


async def not_another(admin_dsn: str, passwords: Mapping[str, str]) -> None:
    """`passwords`: of the owners, by service. Raises `NotAsAsked` where one is not that of a role that there is:
    processes that others started work with it, and would lose their database to ours."""
    async with _administrator(admin_dsn) as admin:
        for service, password in passwords.items():
            role = f"{service}_owner"
            if await admin.fetchval(SQL.there, role) and not await _lets_in(
                dsn(admin_dsn, user=role, password=password)
            ):
                raise NotAsAsked(
                    f"role {role} of this server has a password that this data folder does not know: the processes of "
                    "another installation work with it. `--take-over` gives all roles passwords of this folder; end "
                    "those processes first, and bring the bank's folder and the register here"
                )


async def nobody_works(admin_dsn: str, services: Sequence[str]) -> None:
    """Raises `NotAsAsked` where workers of somebody else's work lanes: ours were stopped before this is asked."""
    async with _administrator(admin_dsn) as admin:
        if before := await _leases(admin, services):
            # A worker that was killed keeps its lease for a while; only one that lives renews it.
            await asyncio.sleep(RENEWED_S)
            if renewed := await _leases(admin, services) - before:
                names = ", ".join(sorted(name for name, _ in renewed))
                raise NotAsAsked(
                    f"workers that this data folder did not start work on this database: {names}. End them and their "
                    "bank process first; `--take-over` goes on beside them"
                )


async def _leases(admin: asyncpg.Connection, services: Iterable[str]) -> set[tuple[str, datetime]]:
    """Workers, and until when each said that it lives."""
    found: set[tuple[str, datetime]] = set()
    for service in services:
        if await admin.fetchval(SQL.lanes_there.replace("{schema}", service)):
            found |= {(name, until) for name, until in await admin.fetch(SQL.leases.replace("{schema}", service))}
    return found


async def _lets_in(role_dsn: str) -> bool:
    try:
        async with connect.connection(role_dsn, name="medfund prepare"):
            return True
    except asyncpg.InvalidPasswordError:
        return False
    except asyncpg.InsufficientPrivilegeError:  # the password was right; this database lets it in further on
        return True


@asynccontextmanager
async def _administrator(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    try:
        async with connect.connection(dsn, name="medfund prepare") as admin:
            yield admin
    except (*connect.UNAVAILABLE, asyncpg.PostgresError) as error:
        raise Unusable(f"the database cannot be used: {connect.why(error)}") from error


def dsn(server: str, *, database: str | None = None, user: str | None = None, password: str = "") -> str:
    """A DSN of the same server for another database or user."""
    parts = urlsplit(server)
    login, _, place = parts.netloc.rpartition("@")
    if user is not None:
        login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    path = parts.path if database is None else f"/{quote(database, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{login}@{place}" if login else place, path=path))
