"""Clients that nobody here wrote: each folder pins one as its own package manager does, and has a program that uses it.

What a package manager fetches is kept like the broker's jars, once per content of the folder.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from medfund.local import kafka
from medfund.local.prerequisites import java, maven

HERE = Path(__file__).parent
TOOLS = Path(sys.executable).parent
MAKE_LIMIT_S, RUN_LIMIT_S = 300, 60


def _makes() -> Mapping[str, Sequence[str]]:
    """What brings each client's packages."""
    go, npm = (f"{TOOLS}/go", "build", "-o", "program", "."), (f"{TOOLS}/npm", "ci", "--no-audit", "--no-fund")
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes")
    return {
        "java": (maven(), "-B", "-q", "dependency:copy-dependencies", "-DoutputDirectory=jars"),
        "go": go,
        "sarama": go,
        "javascript": (*npm, "--ignore-scripts"),
        "kafkajs": (*npm, "--ignore-scripts"),
        "python": (*pip, "--target=packages", "--requirement=requirements.lock"),
    }


def program(client: str) -> Sequence[str]:
    """The command that runs a client's program."""
    return {
        "java": (java(), "-cp", "jars/*", "Publish.java"),
        "go": ("./program",),
        "sarama": ("./program",),
        "javascript": (f"{TOOLS}/node", "publish.mjs"),
        "kafkajs": (f"{TOOLS}/node", "partitions.mjs"),
        "python": (sys.executable, "publish.py"),
    }[client]


def folder(client: str) -> Path:
    """A client with its packages."""
    source = HERE / client
    digest = hashlib.sha256()
    for file in sorted(source.iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    made = kafka.cache() / f"client-{client}-{digest.hexdigest()[:12]}"
    made.parent.mkdir(parents=True, exist_ok=True)
    with made.with_name("clients.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # whoever else makes one is waited for
        if not made.exists():
            making = made.with_name(f"{made.name}.making")
            shutil.rmtree(making, ignore_errors=True)
            shutil.copytree(source, making)
            run(_makes()[client], making, limit_s=MAKE_LIMIT_S)
            making.rename(made)  # the folder is whole or absent
    return made


def run(command: Sequence[str], where: Path, *, limit_s: float = RUN_LIMIT_S, **variables: str) -> str:
    """What a command says. It finds the packages of its folder, and the tools of these tests."""
    environment = {
        **os.environ,
        "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(where / "packages"),
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        **variables,
    }
    done = subprocess.run(
        command, cwd=where, env=environment, capture_output=True, text=True, check=False, timeout=limit_s
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout
