"""`python -m bench.bankfiles`: how long bank files of 80,000 payments take, and how much memory."""

import resource
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar

from medfund.bankfiles import iso20022
from medfund.bankfiles.messages import Account, Counterparty, Detail, Entry, Message, Statement, Transfer, Transfers
from medfund.calendar import SHANGHAI

COUNT = 80_000
DAY = date(2026, 2, 27)
CREATED = datetime(2026, 2, 27, 9, tzinfo=SHANGHAI)
FUND = Account("15001686636050001234", "锡林郭勒盟医疗保障基金", "105201000017")

_Result = TypeVar("_Result")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        asked = transfers()
        measure_all(asked, Path(folder) / "pain001.xml")
        measure_all(statement(asked), Path(folder) / "camt053.xml")


def transfers() -> Transfers:
    made = (
        Transfer(
            end_to_end_id=f"H15250200017-310-21-{number:06d}/P1",
            amount=100 + 7 * number,
            creditor=Account(f"62220212{number:010d}", f"锡林郭勒盟中心医院第{number}分院", "102201000010"),
            remittance="医保结算 202601",
        )
        for number in range(COUNT)
    )
    return Transfers("MF20260227001", CREATED, FUND, DAY, tuple(made))


def statement(asked: Transfers) -> Statement:
    opening = 10**13
    entries = tuple(entry(number, transfer) for number, transfer in enumerate(asked.transfers))
    return Statement("B1", CREATED, FUND.number, DAY, opening, opening - asked.total, entries)


def entry(number: int, of: Transfer) -> Entry:
    other = Counterparty(of.creditor.number, of.creditor.name, of.creditor.bank)
    return Entry(
        bank_txn=f"2026022701{number:06d}",
        direction="OUT",
        amount=of.amount,
        booked_on=DAY,
        value_date=DAY,
        text="付款",
        message_id="MF20260227001",
        details=(Detail(of.amount, of.end_to_end_id, counterparty=other, remittance=of.remittance),),
    )


def measure_all(message: Message, path: Path) -> None:
    measure(f"write {path.stem}", lambda: write(message, path))
    print(f"{path.stem} has {path.stat().st_size >> 20} MB")
    measure(f"validate {path.stem}", lambda: iso20022.validate(path))
    if measure(f"read {path.stem}", lambda: iso20022.read(path)) != message:
        raise AssertionError(f"{path.stem} is not read as it was written")


def write(message: Message, path: Path) -> None:
    with path.open("wb") as file:
        iso20022.write(message, file)


def measure(name: str, work: Callable[[], _Result]) -> _Result:
    began, cpu = time.monotonic(), time.process_time()
    result = work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"{name}: {time.monotonic() - began:.1f} s, {time.process_time() - cpu:.1f} s of one core, peak {peak} MB")
    return result


if __name__ == "__main__":
    main()
