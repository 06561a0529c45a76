"""The local broker: a real Apache Kafka in KRaft mode, one node on loopback, from the jars that Maven fetched once.

The cluster's id and both ports are chosen once and kept beside the data, so that a restart is the same broker at the
same address, whatever ended the last one.
"""

import base64
import fcntl
import hashlib
import os
import re
import select
import socket
import struct
import subprocess
import sys
import tempfile
import uuid
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from medfund.local import CannotRun, prerequisites
from medfund.local.server import TAIL_LINES, Server, StartFailed, Tell, remembered_port, run, silent, write_file

CLASSES = "classes.jsa"
POM = Path(__file__).with_name("pom.xml")
PROPERTIES = Path(__file__).with_name("kafka.properties")
CHECKOUT = Path(__file__).parents[2]
# How long Maven may say nothing; one jar over a slow line is silence.
FETCH_LIMIT_S = 900.0
FORMAT_LIMIT_S = 300.0
RECORD_LIMIT_S = 300.0
CLOSE_LIMIT_S = 30.0
DOWNLOADED = re.compile(r"Downloaded from \S+ \S*/(\S+\.jar)")

# Measured on two cores shared with everything else: the simple collector and the quick compiler alone need a quarter
# less processor time for the first five million records, at the same rate, and start a second sooner.
JVM = (
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)


class FetchFailed(CannotRun):
    """Maven could not fetch the broker's jars."""


class Kafka(Server):
    """One broker. `folder` holds its data, log, configuration, ports and cluster id; `settings` add to or replace those
    of `kafka.properties`, and `formatted` is what its storage is made with besides."""

    stop_limit_s = 30.0

    def __init__(
        self,
        folder: Path,
        *,
        libraries: Path | None = None,
        jvm: Sequence[str] = (),
        settings: Mapping[str, str] = {},
        formatted: Sequence[str] = (),
    ) -> None:
        super().__init__("kafka", folder)
        self._libraries = libraries
        self._jvm = tuple(jvm)
        self._settings = dict(settings)
        self._formatted = tuple(formatted)
        self._config = self.folder / "kafka.properties"

    def start(self) -> None:
        self.stop()
        java, libraries = prerequisites.java(), self._libraries or fetch(self.tell)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._prepare(java, libraries)
        command = _command(java, libraries, *self._jvm, "kafka.Kafka", str(self._config))
        self._spawn(command, folder=libraries, environment=_environment())
        self._wait_until(lambda: answers(self.port))

    def _prepare(self, java: str, libraries: Path) -> None:
        data = self.folder / "data"
        ports = {"port": self.port, "controller_port": remembered_port(self.folder / "controller-port")}
        shipped = PROPERTIES.read_text(encoding="utf-8").format(data=_escaped(data), **ports)
        write_file(self._config, shipped + "".join(f"{name}={value}\n" for name, value in self._settings.items()))
        if not (data / "meta.properties").exists():
            limit_s = FORMAT_LIMIT_S * self.patience
            # One argument with "=": an id may begin with "-".
            wanted = (f"--cluster-id={_cluster_id(self.folder / 'cluster-id')}", *self._formatted)
            _format(java, libraries, self._config, wanted, limit_s=limit_s)


def _escaped(path: Path) -> str:
    """A path as a value of a properties file, which is ASCII with escapes."""
    return "".join(c if c.isascii() else f"\\u{ord(c):04x}" for c in str(path).replace("\\", "\\\\"))


def _environment() -> dict[str, str]:
    """Java decodes paths by the locale; whatever ours is, a path is what it is."""
    return {**os.environ, "LC_ALL": "C.UTF-8"}


def _cluster_id(path: Path) -> str:
    if not path.exists():
        write_file(path, base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="))
    return path.read_text(encoding="utf-8")


def _format(java: str, libraries: Path, config: Path, wanted: Sequence[str], *, limit_s: float) -> None:
    """Make the empty data folder of a cluster; what a killed attempt left behind is completed."""
    tool = ("kafka.tools.StorageTool", "format", "--ignore-formatted", *wanted, "-c", str(config))
    command = _command(java, libraries, *tool)
    done = run(command, what="formatting Kafka's storage", limit_s=limit_s, cwd=libraries, env=_environment())
    if done.returncode != 0:
        raise StartFailed(f"Kafka's storage could not be formatted\n{done.stderr.strip() or done.stdout.strip()}")


def _command(java: str, libraries: Path, *arguments: str) -> list[str]:
    """Run in the folder of the jars: their names alone are the class path, so that the folder may be moved."""
    classes = libraries / CLASSES
    shared = [f"-XX:SharedArchiveFile={classes}"] if classes.exists() else []
    return [java, *JVM, *shared, "-cp", ":".join(sorted(jar.name for jar in libraries.glob("*.jar"))), *arguments]


def answers(port: int) -> bool:
    """Whether the broker takes requests: it binds its port earlier, but answers `ApiVersions` only then."""
    request = struct.pack(">ihhih", 10, 18, 0, 1, -1)  # size, ApiVersions, version 0, correlation, no client id
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
            connection.sendall(request)
            return len(connection.recv(4)) == 4
    except OSError:
        return False


def cache() -> Path:
    """Where what was fetched is kept: `MEDFUND_CACHE`, else the checkout, else the user's own cache."""
    if chosen := os.environ.get("MEDFUND_CACHE"):
        return Path(chosen)
    if (CHECKOUT / "pyproject.toml").exists():
        return CHECKOUT / ".cache"
    return Path.home() / ".cache" / "medfund"


def fetch(tell: Tell = silent) -> Path:
    """The folder of the broker's jars, fetched by Maven once per content of the pom. Raises `FetchFailed`."""
    folder = cache() / f"kafka-{hashlib.sha256(POM.read_bytes()).hexdigest()[:12]}"
    if not folder.exists():
        _fetch(folder, tell)
    return folder


def _fetch(folder: Path, tell: Tell) -> None:
    """What a fetch that failed or was killed has brought is kept: the next one takes it up where it ended."""
    prerequisites.java()
    maven = prerequisites.maven()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "fetching.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # whoever else fetches is waited for
        if folder.exists():
            return
        tell("Apache Kafka is fetched, once")
        fetching = folder.with_name(f"{folder.name}.fetching")
        _copy_jars(maven, fetching, tell)
        fetching.rename(folder)  # the folder is whole or absent
        _record_classes(folder, tell)


def _copy_jars(maven: str, jars: Path, tell: Tell) -> None:
    """Raises `FetchFailed` where Maven fails, or says nothing for too long: what it fetches may be much."""
    command = [maven, "-B", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
    maven_ = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said: deque[str] = deque(maxlen=TAIL_LINES)
    try:
        for line in _lines(maven_, FETCH_LIMIT_S):
            if found := DOWNLOADED.search(line):
                tell(f"fetched {found[1]}")
            else:
                said.append(line)
    finally:
        maven_.kill()
        code = maven_.wait(CLOSE_LIMIT_S)
    if code:
        raise FetchFailed("\n".join(["Maven could not fetch Kafka; what it has fetched is kept", *said]))


def _lines(program: "subprocess.Popen[bytes]", limit_s: float) -> Iterator[str]:
    """What a program says until it ends. Raises `FetchFailed` after a silence."""
    output, rest = program.stdout.fileno() if program.stdout else -1, b""
    while select.select([output], [], [], limit_s)[0]:
        read = os.read(output, 1 << 16)
        *lines, rest = (rest + read).split(b"\n")
        yield from (line.decode("utf-8", "replace").rstrip() for line in lines)
        if not read:
            program.wait(CLOSE_LIMIT_S)
            return
    raise FetchFailed(f"Maven said nothing for {limit_s:.0f} s; what it has fetched is kept")


def _record_classes(jars: Path, tell: Tell) -> None:
    """Keep the classes that a broker loads in the form that the JVM maps at once: later starts take half the time. A
    machine that is too slow for it does without."""
    tell("a broker runs once for nothing: all later ones start in half the time")
    with tempfile.TemporaryDirectory(dir=jars.parent, prefix="recording-") as folder:
        recorded = Path(folder) / CLASSES
        broker = Kafka(Path(folder) / "broker", libraries=jars, jvm=[f"-XX:ArchiveClassesAtExit={recorded}"])
        broker.tell, broker.stop_limit_s = tell, RECORD_LIMIT_S
        try:
            broker.start()
            broker.stop()
            recorded.rename(jars / CLASSES)
        except (StartFailed, OSError) as error:
            tell(f"later starts will take longer: {str(error).splitlines()[0]}")


def said(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main() -> int:
    """`python -m medfund.local.kafka`: fetch what the broker needs, before anything needs it."""
    try:
        fetch(said)
    except CannotRun as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
