"""The bank's folder with everything behind it: the clearing service's bank process on a real folder, one lane of both
services, a real database. The bank is the test: it takes from `out/` and puts into `in/`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from clearing.bank import process, register
from clearing.bank.files import Desk
from medfund.bankfiles import folders, iso20022
from medfund.bankfiles.folders import Folders
from medfund.bankfiles.messages import Detail, Entries, Entry, Message, Notification, Statement, Transfers
from medfund.postgres import connect
from tests import events
from tests.conftest import Database
from tests.fund import Fund, running

FUNDS = ("310100", "390100")
NUMBERS = {"310100": "6222000010001", "390100": "6222000010002"}
FISCAL = {"310100": "6222000020001"}
BANK = "102100000030"
BATCH = "B-202601"
P1 = f"{BATCH}/P1/310100"
[PROVIDER] = events.providers(0, 1, 1)
DAY = date(2026, 2, 10)
AREA = "152500"


def accounts() -> dict[str, Any]:
    own = [
        {
            "area": AREA,
            "fund": fund,
            "bank_account": account,
            "number": number,
            "name": f"医保基金 {fund}",
            "bank": BANK,
        }
        for account, numbers in (("1002", NUMBERS), ("1003", FISCAL))
        for fund, number in numbers.items()
    ]
    payee = {"number": "6222000099999", "name": "某某医院", "bank": BANK}
    return {"own": own, "payees": {"acct-152500-000017": payee}}


@dataclass
class Bank:
    """The other side of the folder."""

    root: Path
    numbers: dict[str, str] = field(default_factory=lambda: dict(NUMBERS))
    written: int = 0

    def taken(self) -> list[Transfers]:
        found = []
        for file in sorted((self.root / "out").glob("*.xml")):
            iso20022.validate(file, iso20022.PAIN_001)
            message = iso20022.read(file)
            assert isinstance(message, Transfers)
            found.append(message)
            file.unlink()
        return found

    def put(self, message: Message, name: str = "") -> str:
        return self.put_bytes(iso20022.encoded(message), name)

    def put_bytes(self, content: bytes, name: str = "") -> str:
        self.written += 1
        name = name or f"{self.written:04d}.xml"
        hidden = self.root / "in" / f".{name}.part"
        hidden.write_bytes(content)
        hidden.rename(self.root / "in" / name)
        return name

    def notification(self, entries: Sequence[Entry], fund: str = "310100", account: str = "1002") -> Notification:
        self.written += 1
        number = (NUMBERS if account == "1002" else FISCAL)[fund]
        return Notification(f"N{self.written}", datetime(2026, 2, 10, 8, tzinfo=UTC), number, Entries(entries))

    def statement(
        self, entries: Sequence[Entry], *, opening: int, fund: str = "310100", day: date = DAY, account: str = "1002"
    ) -> Statement:
        self.written += 1
        number = (NUMBERS if account == "1002" else FISCAL)[fund]
        closing = opening + sum(entry.signed for entry in entries)
        created = datetime(2026, 2, 10, 12, tzinfo=UTC)
        return Statement(f"S{self.written}", created, number, day, opening, closing, Entries(entries))


def line(txn: str, fen: int, *ids: str, direction: Any = "OUT", on: date = DAY, **data: Any) -> Entry:
    """One line of the bank, of one payment or of several."""
    code = data.pop("code", None)
    parts, files = data.pop("parts", [fen]), data.pop("files", ())
    details = tuple(Detail(part, id, code, files=files) for part, id in zip(parts, ids, strict=True))
    return Entry(txn, direction, fen, on, on, details=details, **data)


def paid(transfers: Transfers, txn: str = "T-1") -> list[Entry]:
    return [line(f"{txn}-{number}", one.amount, one.end_to_end_id) for number, one in enumerate(transfers.transfers, 1)]


@dataclass
class Door:
    fund: Fund
    bank: Bank
    desk: Desk
    held: Folders
    accounts: Path

    async def round(self) -> list[str]:
        """One round of the bank process; what stood in its way."""
        _, troubles = await process.round(self.desk, self.held, register.read(self.accounts))
        return troubles

    async def sent(self, fund: str = "310100", number: int = 1) -> Transfers:
        """Everything of a fund approved, run and taken by the bank."""
        await self.fund.approve("anna", "bo")
        await self.fund.run(fund, on=str(DAY), number=number)
        await self.fund.drain()
        await self.round()
        [transfers] = self.bank.taken()
        return transfers

    async def status(self, payment_ref: str = P1) -> str:
        return {one["payment_ref"]: one["status"] for one in await self.fund.payments()}[payment_ref]

    def refused(self) -> dict[str, str]:
        folder = self.bank.root / "refused"
        return {
            file.name: (folder / f"{file.name}.reason.txt").read_text()
            for file in sorted(folder.iterdir())
            if not file.name.endswith(".reason.txt")
        }


async def _work(fund: Fund) -> None:
    while True:
        await fund.drain()
        await asyncio.sleep(0.01)


@asynccontextmanager
async def opened(database: Database, tmp_path: Path) -> AsyncIterator[Door]:
    """A P1 of 900.00 and one of 450.00 wait; 5,000.00 is in each of the two accounts."""
    register_file = tmp_path / "accounts.json"
    register_file.write_bytes(msgspec.json.encode(accounts()))
    async with running(database, lane=0, lanes=1) as fund:
        fund.register()
        fund.policy()
        fund.deposit({"310100": 500_000, "390100": 500_000})
        fund.deposit({"310100": 1_000_000}, account="1003")
        for staff in ("anna", "bo"):
            fund.mandate(staff)
        fund.settle({"310100": 100_000, "390100": 50_000})
        fund.submit(BATCH)
        await fund.drain()
        fund.day("2026-02-09")
        await fund.drain()
        reader = await connect.opened(database.dsn("bank", "clearing"), timeout=30)
        worker = asyncio.create_task(_work(fund))
        with folders.held(tmp_path / "bank") as held:
            yield Door(fund, Bank(tmp_path / "bank"), Desk(reader, fund.log, 1), held, register_file)
        worker.cancel()
        with contextlib.suppress(asyncio.CancelledError, asyncpg.InterfaceError):
            await worker
        await reader.close()
