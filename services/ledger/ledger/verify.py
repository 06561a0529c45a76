"""Proof of the books: recount them from the log and from the journal, and say exactly what was proved.

For each lane, against one snapshot of the database:
- the log still holds, at each position, the record that was booked there;
- every record up to the position ended in exactly one of accepted, repeat, quarantined, and the counts agree;
- every journal line follows from the events that it names, and no other line exists;
- every balance is the sum of its lines;
- every bank account, and suspense, moved alike in both books on each day, and what is kept of each is what moved;
- what the bank's statements said is what is kept of them, and so are the lines that it booked on another day than their
  value date;
- where the clearing service can be asked, its open items are the control accounts (`ledger.control`), and the bank's
  statements agree with the bank accounts of all lanes together (`ledger.statements`); where direct payment can, what it
  holds of orders and of old arrears are the memo accounts.
A row that does not hold is named by its key. Memory is bounded: the log is read in stretches.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg

from ledger import chart, projector
from ledger.projector import JournalLine, Shift, Statement, StatementKey
from ledger.service import Ledger
from medfund import money
from medfund.events.codec import Accepted, Refused
from medfund.lanes import order, store
from medfund.lanes.log import BatchUnreadable, LaneLog, Log, LogTruncated, Record, UnreadBatch
from medfund.lanes.order import Cut
from medfund.postgres import queries

SQL = queries.load(__file__, "verify.sql")

RECORDS_MAX = 20_000
BYTES_MAX = 32 << 20
PROBLEMS_MAX = 20
READ_WAIT_S = 5.0


Ends = Mapping[tuple[str, int], bytes | None]
"""The identity of what ended so at a topic and offset."""


Batch = Sequence[tuple[Cut, Sequence[Record]]]
"""What a lane booked at a time, and what the log holds of it."""


@dataclass
class Report:
    """What was proved; `problems` name the rows that do not hold, `differences` what the bank says otherwise: money
    that it has booked and nobody has told, for example. The books hold without it."""

    lanes: int = 0
    records: int = 0
    accepted: int = 0
    repeats: int = 0
    quarantined: int = 0
    lines: int = 0
    open_items: int | None = None
    """Compared with the control accounts; None where they were not."""
    statements: int | None = None
    """Compared with the bank accounts; None where they were not."""
    amounts: dict[str, dict[str, int]] = field(default_factory=dict)
    """Book -> fund -> fen moved."""
    problems: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    not_compared: list[str] = field(default_factory=list)
    """What was on its way while two sides were to be compared."""

    @property
    def ok(self) -> bool:
        """Whether everything was proved."""
        return not (self.problems or self.differences or self.not_compared)

    def blame(self, problem: str) -> None:
        _add(self.problems, problem)

    def differs(self, difference: str) -> None:
        _add(self.differences, difference)

    def as_json(self) -> dict[str, object]:
        amounts = {
            book: {fund: money.yuan(fen) for fund, fen in sorted(funds.items())} for book, funds in self.amounts.items()
        }
        return {
            "ok": self.ok, "lanes": self.lanes, "records": self.records, "accepted": self.accepted,
            "repeats": self.repeats, "quarantined": self.quarantined, "lines": self.lines,
            "open_items": self.open_items, "statements": self.statements, "amounts": amounts,
            "problems": self.problems, "differences": self.differences, "not_compared": self.not_compared,
        }  # fmt: skip


def _add(named: list[str], one: str) -> None:
    if len(named) < PROBLEMS_MAX:
        named.append(one)


async def verify(
    connection: asyncpg.Connection,
    log: Log,
    service: Ledger,
    lanes: Sequence[int],
    *,
    advance: Callable[[int], None] = lambda records: None,
) -> Report:
    """Prove the given lanes. `advance` is told how many records were proved. Raises what database and broker raise."""
    report = Report()
    for lane in lanes:
        source = await log.open_lane(lane, service.topics)
        try:
            async with snapshot(connection):
                await _Lane(lane, connection, source, service, report, advance).prove()
        finally:
            await source.close()
        report.lanes += 1
    return report


async def count_records(connection: asyncpg.Connection, lanes: Sequence[int]) -> int:
    """How many records there are to prove."""
    return int(await connection.fetchval(SQL.count_records, lanes))


@asynccontextmanager
async def snapshot(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """One state of the database for all questions, and the right to see every organisation's rows."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(SQL.see_everything)
        yield


@dataclass
class _Lane:
    lane: int
    connection: asyncpg.Connection
    source: LaneLog
    service: Ledger
    report: Report
    advance: Callable[[int], None]
    counted: dict[str, list[int]] = field(default_factory=dict)
    reached: dict[str, int] = field(default_factory=dict)
    lines: int = 0
    unread: dict[str, list[Record]] = field(default_factory=dict)
    statements: dict[StatementKey, Statement] = field(default_factory=dict)
    """The last of each account and day."""
    shifts: dict[Shift, int] = field(default_factory=dict)

    async def prove(self) -> None:
        positions = await self.connection.fetch(SQL.positions, self.lane)
        if not all([await self._anchor_holds(position) for position in positions]):
            return
        self.source.put_aside(await store.put_aside(self.connection, self.lane))
        self.reached = {position["topic"]: position["start_offset"] for position in positions}
        self.source.seek(self.reached)
        async for batches in self._stretches():
            await self._prove_stretch(batches)
        await self._prove_counts(positions)
        await self._prove_buckets()
        await self._prove_cash()
        await self._prove_statements()
        await self._prove_shifts()

    async def _anchor_holds(self, position: asyncpg.Record) -> bool:
        place = f"position lane={self.lane} topic={position['topic']}"
        offset = position["anchor_offset"]
        if offset is None:
            return True
        record = await self.source.record_at(position["topic"], offset)
        if record is None:
            self.report.blame(f"{place}: the log does not hold offset {offset}, which was booked")
        elif store.digest(record) != position["anchor_digest"]:
            self.report.blame(f"{place}: the record at offset {offset} is not the one that was booked")
        else:
            return True
        return False

    async def _stretches(self) -> AsyncIterator[list[Batch]]:
        """The order log in portions of whole batches, with what the log holds of each."""
        count, size = 0, 0
        portion: list[Batch] = []
        async for number, runs in self._batches():
            self._follow(number, runs)
            batch = [(run, await self._records(run)) for run in runs]
            portion.append(batch)
            count += sum(run.next - run.first for run in runs)
            size += sum(len(record.value or b"") for _, records in batch for record in records)
            if count >= RECORDS_MAX or size >= BYTES_MAX:
                yield portion
                portion, count, size = [], 0, 0
        if portion:
            yield portion

    async def _batches(self) -> AsyncIterator[tuple[int, list[Cut]]]:
        last = -1
        while row := await self.connection.fetchrow(SQL.batches, self.lane, last):
            last, *kept = row
            try:
                found = order.batches(*kept)
            except ValueError as error:
                self.report.blame(f"batches lane={self.lane} batch={last}: cannot be read: {error}")
                continue
            for number, runs in enumerate(found, last):
                yield number, runs

    def _follow(self, batch: int, runs: list[Cut]) -> None:
        """The order log has neither gap nor overlap."""
        for run in runs:
            reached = self.reached.get(run.topic)
            if run.first != reached:
                self.report.blame(
                    f"batches lane={self.lane} batch={batch} topic={run.topic}: begins at {run.first}, "
                    f"what was booked before ends at {reached}"
                )
            self.reached[run.topic] = run.next

    async def _prove_stretch(self, batches: list[Batch]) -> None:
        verdicts = {
            (run.topic, verdict.record.offset): verdict
            for runs in batches
            for run, records in runs
            for verdict in self.service.decode(records, run.topic)
        }
        spans = _spans(batches)
        where = await self._accepted_where(verdicts.values())
        repeats = await self._ends(SQL.repeats, spans)
        refused = await self._ends(SQL.quarantined, spans)
        expected: dict[tuple[str, int, int], JournalLine] = {}
        for runs in batches:
            fresh = [
                event
                for run, records in runs
                for record in records
                if (event := self._outcome(run.topic, verdicts[run.topic, record.offset], where, repeats, refused))
            ]
            for line in projector.journal(fresh, self.service.families):
                expected[line.topic, line.first_offset, line.ordinal] = line
            self.statements.update((told.key, told) for told in projector.statements(fresh))
            for key, fen in projector.shifts(fresh).items():
                self.shifts[key] = self.shifts.get(key, 0) + fen
        await self._compare(expected, spans)
        self.advance(len(verdicts))

    async def _records(self, run: Cut) -> list[Record]:
        """The records of a run; what was read beyond it is kept for the next run of its topic."""
        have = self.unread.pop(run.topic, [])
        while self.source.position(run.topic) < run.next:
            try:
                more = await self.source.read(limit=RECORDS_MAX, wait_s=READ_WAIT_S, topics=[run.topic])
            except (LogTruncated, BatchUnreadable) as error:
                self.report.blame(f"log lane={self.lane} topic={run.topic}: {error}")
                break
            if not more:
                break  # the counts will tell
            have.extend(record for part in more for record in part.records)
        cut = next((place for place, record in enumerate(have) if record.offset >= run.next), len(have))
        self.unread[run.topic] = have[cut:]
        return have[:cut]

    async def _accepted_where(self, verdicts: Iterable[Accepted | Refused]) -> dict[bytes, tuple[str, int, bytes]]:
        wanted = [verdict.identity for verdict in verdicts if isinstance(verdict, Accepted)]
        rows = await self.connection.fetch(SQL.identities, self.lane, wanted)
        return {row["identity"]: (row["topic"], row["offset"], row["digest"]) for row in rows}

    async def _ends(self, query: str, spans: Mapping[str, tuple[int, int]]) -> Ends:
        return {
            (topic, row["offset"]): row["identity"]
            for topic, (first, end) in spans.items()
            for row in await self.connection.fetch(query, self.lane, topic, first, end)
        }

    def _outcome(
        self,
        topic: str,
        verdict: Accepted | Refused,
        where: Mapping[bytes, tuple[str, int, bytes]],
        repeats: Ends,
        refused: Ends,
    ) -> Accepted | None:
        """The event, where this very record is the one that took effect; a record without exactly one end is named."""
        place = topic, verdict.record.offset
        accepted = isinstance(verdict, Accepted) and where.get(verdict.identity) == (*place, verdict.digest)
        repeated = place in repeats and repeats[place] == verdict.identity and verdict.identity in where
        ends = [accepted, repeated, place in refused]
        counted = self.counted.setdefault(topic, [0, 0, 0])
        offsets = verdict.record.offsets if isinstance(verdict.record, UnreadBatch) else 1
        for number, ended in enumerate(ends):
            counted[number] += ended * offsets
        if sum(ends) != 1:
            self.report.blame(
                f"record lane={self.lane} topic={topic} offset={verdict.record.offset}: "
                f"accepted, repeat, quarantined = {ends}, exactly one must be true"
            )
        return verdict if accepted else None  # type: ignore[return-value]

    async def _compare(
        self, expected: dict[tuple[str, int, int], JournalLine], spans: Mapping[str, tuple[int, int]]
    ) -> None:
        for topic, (first, end) in spans.items():
            for row in await self.connection.fetch(SQL.lines, self.lane, topic, first, end):
                line = JournalLine(*row)
                self.lines += 1
                self._compare_line(line, expected.pop((line.topic, line.first_offset, line.ordinal), None))
        for line in expected.values():
            self.report.blame(f"journal {self._key(line)}: missing; the log asks for {line.debit}/{line.credit} "
                              f"{money.yuan(line.amount)}")  # fmt: skip

    def _compare_line(self, line: JournalLine, expected: JournalLine | None) -> None:
        if expected is None:
            self.report.blame(f"journal {self._key(line)}: no event on the log asks for it")
        elif line != expected:
            wrong = [
                f"{name} is {kept} in the journal and {right} by the log"
                for name, kept, right in zip(JournalLine._fields, line, expected, strict=True)
                if kept != right
            ]
            self.report.blame(f"journal {self._key(line)}: {'; '.join(wrong)}")

    def _key(self, line: JournalLine) -> str:
        return f"lane={self.lane} topic={line.topic} first_offset={line.first_offset} ordinal={line.ordinal}"

    async def _prove_counts(self, positions: Sequence[asyncpg.Record]) -> None:
        report, accepted = self.report, 0
        for position in positions:
            counted = self.counted.get(position["topic"], [0, 0, 0])
            kept = [position["applied"] + position["no_effect"], position["duplicate"], position["quarantined"]]
            accepted += counted[0]
            report.records += sum(counted)
            report.accepted += counted[0]
            report.repeats += counted[1]
            report.quarantined += counted[2]
            if self.reached[position["topic"]] != position["next_offset"]:
                report.blame(
                    f"position lane={self.lane} topic={position['topic']}: stands at {position['next_offset']}, "
                    f"what was booked ends at {self.reached[position['topic']]}"
                )
            if counted != kept:
                report.blame(
                    f"position lane={self.lane} topic={position['topic']}: "
                    f"counts accepted, repeat, quarantined {kept}, the log says {counted}"
                )
        if (identities := await self.connection.fetchval(SQL.count_identities, self.lane)) != accepted:
            report.blame(f"identities lane={self.lane}: {identities} rows, the log accounts for {accepted}")
        if (lines := await self.connection.fetchval(SQL.count_lines, self.lane)) != self.lines:
            report.blame(f"journal lane={self.lane}: {lines} lines, the order log accounts for {self.lines}")
        report.lines += self.lines
        for row in await self.connection.fetch(SQL.totals, self.lane):
            funds = report.amounts.setdefault(row["book"], {})
            funds[row["fund"]] = funds.get(row["fund"], 0) + row["amount"]

    async def _prove_buckets(self) -> None:
        for row in await self.connection.fetch(SQL.buckets_against_journal, self.lane, PROBLEMS_MAX):
            key = " ".join(f"{name}={row[name]}" for name in projector.BUCKET)
            self.report.blame(
                f"buckets lane={self.lane} {key}: debit, credit are {row['kept_debit']}, {row['kept_credit']} fen, "
                f"its lines say {row['line_debit']}, {row['line_credit']}"
            )

    async def _prove_cash(self) -> None:
        pairs = [*chart.CASH_STAT], [account.code for account in chart.CASH_STAT.values()]
        for row in await self.connection.fetch(SQL.cash_that_differs, self.lane, *pairs, PROBLEMS_MAX):
            self.report.blame(
                f"cash lane={self.lane} area={row['area']} fund={row['fund']} account={row['account']} "
                f"day={row['value_date']}: moved by {money.yuan(row['ops'])} in OPS, {money.yuan(row['stat'])} in STAT"
            )

        for row in await self.connection.fetch(
            SQL.cash_against_buckets, self.lane, sorted(projector.CASH), PROBLEMS_MAX
        ):
            self.report.blame(
                f"cash lane={self.lane} area={row['area']} fund={row['fund']} account={row['account']}: "
                f"{row['kept']} fen are kept, its buckets say {row['moved']}"
            )

    async def _prove_statements(self) -> None:
        rows = [Statement(*row) for row in await self.connection.fetch(SQL.statements, self.lane)]
        kept = {told.key: told for told in rows}
        for key in sorted({*kept, *self.statements}):
            if kept.get(key) != self.statements.get(key):
                area, fund, account, day = key
                self.report.blame(
                    f"statement lane={self.lane} area={area} fund={fund} account={account} day={day}: "
                    f"{_told(kept.get(key))} is kept, {_told(self.statements.get(key))} is on the log"
                )

    async def _prove_shifts(self) -> None:
        rows = await self.connection.fetch(SQL.shifts, self.lane)
        kept = {tuple(row.values())[:-1]: row["fen"] for row in rows}
        for key in sorted({*kept, *self.shifts}):
            if kept.get(key) != self.shifts.get(key):
                area, fund, account, value_date, booked_on = key
                self.report.blame(
                    f"shift lane={self.lane} area={area} fund={fund} account={account} value_date={value_date} "
                    f"booked_on={booked_on}: {kept.get(key)} fen are kept, {self.shifts.get(key)} are on the log"
                )


def _told(statement: Statement | None) -> str:
    if statement is None:
        return "nothing"
    return f"{money.yuan(statement.closing)} of {statement.statement_ref} at offset {statement.imported_at}"


def _spans(batches: list[Batch]) -> dict[str, tuple[int, int]]:
    """The stretch of each topic that some batches cover."""
    spans: dict[str, tuple[int, int]] = {}
    for batch in batches:
        for run, _ in batch:
            first, _ = spans.get(run.topic, (run.first, 0))
            spans[run.topic] = (first, run.next)
    return spans
