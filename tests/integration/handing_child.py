"""One step with the folders in a process of its own, so that it can be killed: `hand_over`, `done` or `refuse`.

What it hands over is large enough to reach the disk in pieces; `writing` is a point in the middle of it.
"""

import resource
import sys
from pathlib import Path
from typing import BinaryIO

from medfund import faults
from medfund.bankfiles import folders
from medfund.bankfiles.refusals import Code

PIECES = 40
PIECE = b"0123456789abcdef" * 1024
CONTENT = PIECE * PIECES


def write(file: BinaryIO) -> None:
    for _ in range(PIECES):
        faults.point("writing")
        file.write(PIECE)


def main(step: str, root: Path, file_bytes_max: int) -> None:
    if file_bytes_max:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes_max, file_bytes_max))
    with folders.held(root) as bank:
        if step == "hand_over":
            sys.stdout.write(f"{bank.hand_over('MF1.xml', write)}\n")
            return
        for file in bank.incoming():
            bank.done(file) if step == "done" else bank.refuse(file, code=Code.TRUNCATED, detail="cut off")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
