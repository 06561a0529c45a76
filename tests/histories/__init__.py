"""What earlier versions wrote: of each the log of a fund of twelve lanes, and the database that it left beside it.

    tests/histories/<name>/log.jsonl.xz      family, lane, offset, time, key, headers and value of each record
    tests/histories/<name>/database.sql.xz   both services' schemas, with what was in them

What stays true: a history is never changed. `python -m tests.histories NAME` writes one more.
"""

from pathlib import Path

HISTORIES = Path(__file__).parent
LANES = 12


def written() -> list[Path]:
    return sorted(log.parent for log in HISTORIES.glob("*/log.jsonl.xz"))
