"""`python -m medfund.local DATA WORKERS`: the supervisor of a detached stack. It says nothing but its log."""

import sys
from pathlib import Path

from medfund import environment, logs
from medfund.local import CannotRun, settings
from medfund.local.server import STEP
from medfund.local.stack import Stack
from medfund.local.supervisor import supervise


def _step(line: str) -> None:
    sys.stderr.write(f"{STEP}{line}\n")
    sys.stderr.flush()


def main() -> int:
    data, workers = sys.argv[1:]
    logs.configure()
    try:
        supervise(Stack(Path(data), int(workers), environment.load(settings.StackSettings), _step))
    except (CannotRun, environment.Incomplete) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
