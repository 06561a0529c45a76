"""What the local stack needs that Python packages cannot bring: Java 17 or newer, and Maven once.

What is missing is one line that says what to install.
"""

import os
import re
import shutil
import subprocess

from medfund.local import CannotRun

JAVA_MIN = 17


class MissingPrerequisite(CannotRun):
    """A program is missing or too old; the message says what to install."""


def java() -> str:
    """The path of a `java` that can run the broker: the one of `JAVA_HOME`, else the first on the path."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=os.path.join(home, "bin")) if home else shutil.which("java")
    if found is None:
        raise MissingPrerequisite(f"Java is missing: install Java {JAVA_MIN} or newer (a JRE is enough)")
    version = _java_version(found)
    if version < JAVA_MIN:
        raise MissingPrerequisite(f"Java {version} is too old: install Java {JAVA_MIN} or newer (a JRE is enough)")
    return found


def _java_version(program: str) -> int:
    said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False, timeout=30).stderr
    match = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(match[1]) if match else 0


def maven() -> str:
    """The path of `mvn`, which fetches the broker's jars."""
    found = shutil.which("mvn")
    if found is None:
        raise MissingPrerequisite("Maven is missing: install Maven 3.6 or newer (it fetches Apache Kafka once)")
    return found
