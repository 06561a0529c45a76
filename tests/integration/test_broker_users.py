"""A broker that knows its clients: each process works as its own user, and nobody writes what is not theirs to say."""

import asyncio
import ipaddress
import json
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from medfund.events import speakers
from medfund.events.kinds import FAMILIES
from medfund.events.speakers import Speaker
from medfund.http import tokens
from medfund.lanes import partition
from medfund.lanes.kafka import QUIET_WAIT_MS, KafkaLog
from medfund.lanes.settings import NOBODY, IdentitySettings
from medfund.local import permissions, prepare
from medfund.local.kafka import Kafka
from medfund.local.permissions import PROCESSES, Grant, NotToBeTrusted, Operation
from medfund.local.server import remembered_port
from medfund.local.services import APIS, BANK, HEALTH, ROLES, SCHEDULER, SERVICES, WORKERS, Service, answer, variable
from medfund.local.stack import together
from medfund.postgres import connect
from medfund.publish import sending
from tests import events
from tests.conftest import FORGETFUL, LANES, Database
from tests.conftest import PASSWORDS as OF_DATABASE
from tests.integration import served
from tests.integration.workers import until

ADMINISTRATOR, GATEWAY, STRANGER = "administrator", "gateway-152500", "stranger"
PUBLISHERS = {Speaker.HOSPITAL: [GATEWAY]}
PASSWORDS = {user: secrets.token_urlsafe(12) for user in (ADMINISTRATOR, GATEWAY, STRANGER, *PROCESSES)}
SCRAM = "SCRAM-SHA-512"


class Knowing(Kafka):
    """A broker of the local kind that asks who its clients are, lets them do what they were granted, and proves who it
    is itself. At `own` it speaks with itself, and with whoever is on its own network."""

    def __init__(self, folder: Path) -> None:
        self.certificate = folder / "broker.pem"
        self.clients = remembered_port(folder / "clients.port")
        port, controller = remembered_port(folder / "kafka.port"), remembered_port(folder / "controller-port")
        self.own = f"127.0.0.1:{port}"
        settings = {
            "listeners": f"OWN://127.0.0.1:{port},CLIENTS://127.0.0.1:{self.clients},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"OWN://127.0.0.1:{port},CLIENTS://127.0.0.1:{self.clients}",
            "listener.security.protocol.map": "OWN:PLAINTEXT,CLIENTS:SASL_SSL,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "OWN",
            "sasl.enabled.mechanisms": SCRAM,
            f"listener.name.clients.{SCRAM.lower()}.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.certificate),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            # Whoever speaks with itself has no name.
            "super.users": f"User:{ADMINISTRATOR};User:ANONYMOUS",
        }
        users = [f"--add-scram={SCRAM}=[name={user},password={password}]" for user, password in PASSWORDS.items()]
        super().__init__(folder, settings={**FORGETFUL, **settings}, formatted=users)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.clients}"

    def named(self, user: str) -> dict[str, str]:
        """What the environment tells a process about its user."""
        return {
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_MECHANISM": SCRAM,
            "KAFKA_USER": user,
            "KAFKA_PASSWORD": PASSWORDS[user],
            "KAFKA_CA_FILE": str(self.certificate),
        }

    def identity(self, user: str, **changes: str) -> Mapping[str, Any]:
        told = {name.lower(): value for name, value in self.named(user).items()}
        return IdentitySettings(**{**told, **changes}).identity  # type: ignore[arg-type]


def certified(file: Path) -> None:
    """A key, and its certificate by itself for a broker on this machine, for a day."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker of the tests")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    told = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(told + certificate.public_bytes(pem))


@pytest.fixture(scope="module")
def broker(session_folder: Path) -> Iterator[Knowing]:
    server = Knowing(session_folder / "broker-with-users")
    certified(server.certificate)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
async def granted(broker: Knowing) -> str:
    """The prefix of topics on which `medfund prepare` has granted what there is to grant, and once again."""
    for _ in range(2):
        await prepared(broker, "fund")
    return "fund"


async def prepared(broker: Knowing, prefix: str) -> None:
    administrator = broker.identity(ADMINISTRATOR)
    await prepare.topics(broker.address, prefix=prefix, lanes=LANES, identity=administrator)
    assert await prepare.rights(broker.address, prefix=prefix, publishers=PUBLISHERS, identity=administrator)


@asynccontextmanager
async def writing(broker: Knowing, user: str) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(
        bootstrap_servers=broker.address, enable_idempotence=False, **broker.identity(user)
    ) as made:
        yield made


async def writes(broker: Knowing, prefix: str, user: str) -> set[str]:
    """The topics that a user may write."""
    written = set()
    async with writing(broker, user) as producer:
        for family in FAMILIES:
            try:
                await producer.send_and_wait(f"{prefix}.{family}", b"anything", partition=0)
                written.add(family)
            except TopicAuthorizationFailedError:
                pass
    return written


async def reads(broker: Knowing, prefix: str, user: str) -> set[str]:
    found = set()
    for family in FAMILIES:
        place = TopicPartition(f"{prefix}.{family}", 0)
        async with AIOKafkaConsumer(bootstrap_servers=broker.address, **broker.identity(user)) as consumer:
            if place.topic in await consumer.topics():
                found.add(family)
    return found


OUTSIDE = {
    GATEWAY: {"claims"},
    STRANGER: set(),
    "ledger-worker": {"ledger"},
    "clearing-worker": {"clearing"},
    "clearing-bank": {"bank", "reviews"},
    "clearing-api": {"claims", "prepayments", "reviews", "agency"},
    "ledger-api": {"claims", "prepayments", "purchases", "reviews", "agency"},
    "direct-pay-worker": {"direct-pay"},
    "direct-pay-api": {"purchases", "agency"},
    "scheduler": {"time"},
    "verify": set(),
    "retry": set(FAMILIES),
}


@pytest.mark.parametrize("user", OUTSIDE)
async def test_a_user_of_the_broker_writes_what_it_has_to_say_and_nothing_else(
    broker: Knowing, granted: str, user: str
) -> None:
    assert await writes(broker, granted, user) == OUTSIDE[user]


async def test_who_is_not_named_reads_nothing_and_a_publisher_sees_its_own_topic_alone(
    broker: Knowing, granted: str
) -> None:
    assert await reads(broker, granted, STRANGER) == set()
    assert await reads(broker, granted, GATEWAY) == {"claims"}, "it has to know its partitions"
    assert await reads(broker, granted, "scheduler") == {"time"}
    assert await reads(broker, granted, "ledger-worker") == set(FAMILIES)
    place = TopicPartition(f"{granted}.claims", 0)
    async with AIOKafkaConsumer(bootstrap_servers=broker.address, **broker.identity(GATEWAY)) as consumer:
        consumer.assign([place])
        consumer.seek(place, 0)
        with pytest.raises(TopicAuthorizationFailedError):
            await consumer.getone(place)
    nobody = AIOKafkaAdminClient(bootstrap_servers=broker.address, request_timeout_ms=2000)
    try:
        with pytest.raises(KafkaError):
            await nobody.start()
    finally:
        await nobody.close()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"kafka_password": "guessed"}, "invalid credentials with SASL mechanism SCRAM-SHA-512"),
        ({"kafka_user": "nobody-here"}, "invalid credentials with SASL mechanism SCRAM-SHA-512"),
        ({"kafka_sasl_mechanism": "PLAIN"}, "UnsupportedSaslMechanismError"),
        ({"kafka_ca_file": ""}, "certificate verify failed: self-signed certificate"),
    ],
    ids=str,
)
async def test_who_is_not_let_in_is_told_why(broker: Knowing, wrong: dict[str, str], why: str) -> None:
    """Whoever prepares, works or publishes."""
    identity = broker.identity("ledger-worker", **wrong)
    with pytest.raises(prepare.Unusable, match=why):
        await prepare.topics(broker.address, prefix="fund", lanes=LANES, identity=identity)
    with pytest.raises(KafkaError, match=why):
        await KafkaLog(broker.address, prefix="fund", identity=identity).open_lane(0, ["claims"])
    with pytest.raises(sending.BrokerAway, match=why):
        async with sending.Sender(broker.address, topic_prefix="fund", patience_s=1, identity=identity):
            pass


async def test_a_lane_is_left_at_once_though_the_broker_holds_its_question(broker: Knowing, granted: str) -> None:
    """Under TLS too, where both sides say that they close."""
    log = KafkaLog(broker.address, prefix=granted, identity=broker.identity("ledger-worker"))
    lane = await log.open_lane(0, ["purchases"])
    lane.seek({"purchases": await lane.end("purchases")})
    assert await lane.read(limit=10, wait_s=0.5) == []
    async with asyncio.timeout(QUIET_WAIT_MS / 1000 / 4):
        await lane.close()


async def test_a_right_beyond_the_table_is_refused_by_its_name(broker: Knowing) -> None:
    granted = "beyond"
    await prepared(broker, granted)
    administrator = broker.identity(ADMINISTRATOR)
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.address, **administrator)
    await admin.start()
    try:
        beyond = {Grant(STRANGER, "bank", Operation.WRITE), Grant(STRANGER, "bank", Operation.READ)}
        await permissions.grant(admin, permissions.grants(PUBLISHERS) | beyond, prefix=granted)
        with pytest.raises(NotToBeTrusted, match=rf"User:{STRANGER} may WRITE on {granted}\.bank$"):
            await prepare.rights(broker.address, prefix=granted, publishers=PUBLISHERS, identity=administrator)
        with pytest.raises(NotToBeTrusted, match=rf"User:{GATEWAY} may WRITE on {granted}\.claims"):
            await prepare.rights(broker.address, prefix=granted, publishers={}, identity=administrator)
    finally:
        await admin.close()


async def test_publishers_from_outside_have_their_rights_where_the_networks_own_processes_have_no_names(
    broker: Knowing,
) -> None:
    """As in the composition of containers."""
    prefix = "composed"
    await prepare.topics(broker.own, prefix=prefix, lanes=LANES, identity={})
    assert await prepare.rights(broker.own, prefix=prefix, publishers=PUBLISHERS, identity={})
    assert await writes(broker, prefix, GATEWAY) == {"claims"}
    assert await writes(broker, prefix, STRANGER) == set()


async def test_a_broker_that_knows_nobody_says_so(kafka: Kafka, topic_prefix: str) -> None:
    assert not await prepare.rights(kafka.address, prefix=topic_prefix, publishers=PUBLISHERS, identity=NOBODY)


def test_no_publisher_has_a_topic_on_which_others_speak_too() -> None:
    with pytest.raises(NotToBeTrusted, match=r"audit_office has no topic to itself: it speaks over the ledger's API"):
        permissions.grants({Speaker.AUDIT_OFFICE: ["audit"]})
    with pytest.raises(NotToBeTrusted, match="clearing-bank is a process of ours, and no hospital"):
        permissions.grants({Speaker.HOSPITAL: ["clearing-bank"]})


@pytest.mark.parametrize("family", FAMILIES)
def test_whoever_may_write_a_topic_has_something_to_say_there(family: str) -> None:
    written = {
        one.user for one in permissions.grants(PUBLISHERS) if (one.family, one.operation) == (family, Operation.WRITE)
    }
    for user, said in {**PROCESSES, GATEWAY: frozenset({Speaker.HOSPITAL})}.items():
        if user not in ("ledger-api", "retry"):
            asked = family in permissions.ASKED_ON.get(user, FAMILIES)
            assert (user in written) == (asked and any(speakers.may_write(speaker, family) for speaker in said))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kafka_security_protocol": "SASL_SSL", "kafka_user": "ledger-worker"},
        {"kafka_security_protocol": "SASL_SSL", "kafka_password": "secret"},
        {"kafka_user": "ledger-worker", "kafka_password": "secret"},
    ],
)
def test_an_identity_is_whole_or_refused_and_never_sent_to_a_broker_that_does_not_ask(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="KAFKA_USER"):
        IdentitySettings(**wrong)  # type: ignore[arg-type]


class Named(Service):
    """A process of ours that has a user of its own."""

    def __init__(self, broker: Knowing, *about: Any) -> None:
        super().__init__(*about)
        self._broker = broker

    def _told(self) -> dict[str, str]:
        return {**super()._told(), **self._broker.named(self.name)}


async def test_each_process_works_as_its_own_user_from_the_gateway_to_the_books(
    broker: Knowing, database: Database, folder: Path
) -> None:
    """`medfund prepare` makes the topics. A settlement comes over the API, another and a claim from a gateway's own
    client; clearing answers, the ledger books, days are opened, and the books are proved."""
    keys = tokens.make_keys(folder)
    (folder / "accounts.json").write_text('{"own": [], "payees": {}}', encoding="utf-8")
    environment = {
        "KAFKA_BOOTSTRAP": broker.address,
        "MEDFUND_LANES": str(LANES),
        "MEDFUND_TOPIC_PREFIX": "whole",
        "MEDFUND_TOKEN_PUBLIC_KEY": str(keys.public),
        "MEDFUND_BANK_FOLDER": str(folder / "bank"),
        "MEDFUND_BANK_ACCOUNTS": str(folder / "accounts.json"),
        **{variable(service, role): database.dsn(role, service) for service, roles in ROLES.items() for role in roles},
    }
    installed = program(broker, ADMINISTRATOR, {**environment, **installing(database)}, "prepare")
    assert installed == {"prepared": True, "clients_known": True}
    for source in events.registry(range(LANES), LANES):
        await register(broker, source)
    programs = [*WORKERS.values(), SCHEDULER, BANK, *APIS]
    running = [Named(broker, program, program.name, folder / "services", environment) for program in programs]
    try:
        await asyncio.to_thread(together, [process.start for process in running])
        ports = {process.name: process.port for process in running}
        hospital = events.providers(1, LANES, 1)[0]
        await register(broker, events.registered(hospital, id="hospital"))
        posted(ports["ledger-api"], keys, events.settlement(hospital, id="over the API", funds={"310100": 777}))
        said = [
            events.settlement(hospital, id="settled", funds={"310100": 12_345}),
            events.message("claim.batch.submitted.v1", id="claimed", provider=hospital),
        ]
        (folder / "said.jsonl").write_bytes(served.lines(said))
        assert program(broker, GATEWAY, environment, "publish", str(folder / "said.jsonl"))["outcome"] == "published"
        await until(lambda: all_read(broker, database), "clearing has answered, and all have read everything")
        for api in ("ledger-api", "clearing-api", "direct-pay-api"):
            assert answer(ports[api], HEALTH) is not None
            await until(lambda api=api: healthy(ports[api]), f"{api} is well")  # type: ignore[misc]
        proof = program(broker, "verify", environment, "verify")
        assert proof["ok"]
        assert proof["accepted"] > 4 + LANES
        assert not [process.name for process in running if not process.running]
    finally:
        await asyncio.to_thread(together, [process.stop for process in running])


def installing(database: Database) -> dict[str, str]:
    """What `medfund prepare` alone is told."""
    return {
        "DATABASE_URL": database.admin,
        "KAFKA_PUBLISHERS": json.dumps(PUBLISHERS),
        **{
            variable(service, role, "password"): OF_DATABASE[role] for service, roles in ROLES.items() for role in roles
        },
    }


async def register(broker: Knowing, message: events.Message) -> None:
    async with writing(broker, "clearing-api") as producer:
        headers, lane = list(message.headers), partition.lane_of(message.key or b"", LANES)
        await producer.send_and_wait("whole.agency", message.value, key=message.key, partition=lane, headers=headers)


def posted(port: int, keys: tokens.Keys, message: events.Message) -> None:
    everything = dict.fromkeys(("areas", "organisations", "sources"), ("*",))
    key = tokens.load_key(keys.private)
    token = tokens.issue(key, role="publisher", subject="gateway", ttl_s=600, **everything)  # type: ignore[arg-type]
    response = httpx.post(
        f"http://127.0.0.1:{port}/v1/events",
        content=served.lines([message]),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"},
        timeout=30,
    )
    assert response.status_code == 202, response.text


def program(broker: Knowing, user: str, environment: Mapping[str, str], *arguments: str) -> dict[str, Any]:
    """What a command says that a user of the broker calls."""
    done = subprocess.run(
        [sys.executable, "-m", "medfund.cli", *arguments, "--json"],
        env={**os.environ, **environment, **broker.named(user)},
        check=False,
        capture_output=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr.decode()
    told: dict[str, Any] = json.loads(done.stdout)
    return told


async def healthy(port: int) -> bool:
    answered = answer(port, HEALTH)
    return answered is not None and answered[0] == 200


async def all_read(broker: Knowing, database: Database) -> bool:
    """Whether something was decided, days are open, and all services have read all that there is."""
    places = {family: [TopicPartition(f"whole.{family}", lane) for lane in range(LANES)] for family in FAMILIES}
    async with AIOKafkaConsumer(bootstrap_servers=broker.address, **broker.identity("verify")) as consumer:
        ends = {family: sum((await consumer.end_offsets(each)).values()) for family, each in places.items()}
    if not (ends["clearing"] and ends["time"] >= LANES):
        return False
    query = "select topic, sum(next_offset)::int from {}.positions group by topic"
    async with connect.connection(database.admin, name="tests") as look:
        for service in SERVICES:
            read = dict(map(tuple, await look.fetch(query.format(service))))
            if any(reached != ends[family] for family, reached in read.items()) or not read:
                return False
    return True
