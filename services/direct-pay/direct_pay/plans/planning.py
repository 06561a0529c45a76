"""What a plan is made of: all that may be requested in an area, judged by the rules of the lanes on one snapshot.

What stays true: the rules that are asked are those that decide when the plan was agreed to, so that what nobody changes
meanwhile is requested as people saw it; numbers are looked for in every lane and area, whatever who plans may see.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date
from itertools import groupby
from operator import attrgetter

import msgspec

from direct_pay.funds import added, fens
from direct_pay.invoices.invoice import Invoice
from direct_pay.names import Name
from direct_pay.plans import plan as plans
from direct_pay.plans.plan import Left, Line, Part, Plan, Registration, Wanted, Whole
from direct_pay.service import DirectPay
from direct_pay.statements import disputing, requesting
from direct_pay.statements.statement import STATEMENTS, Statement
from direct_pay.statements.worth import Open
from medfund import money
from medfund.events import envelope
from medfund.events.codec import Accepted
from medfund.events.envelope import Outgoing
from medfund.events.kinds import Place
from medfund.events.statements import StatementRequested, StatementsAgreed, StatementWithheld
from medfund.http import commands
from medfund.http.database import SQL as SCOPE
from medfund.http.database import Connection
from medfund.http.tokens import EVERYTHING
from medfund.lanes.draft import Draft
from medfund.lanes.shelf import Batch
from medfund.postgres import queries

SQL = queries.load(__file__, "planning.sql")
SOURCE = "/direct-pay/plans"
RULES = DirectPay(prefix="")
NOWHERE = Place(topic="agency", lane=0, offset=0)
"""The cause of what is only asked for."""
_plan = msgspec.json.Decoder(Plan).decode
_statement = msgspec.json.Decoder(Statement).decode
_invoice = msgspec.json.Decoder(Invoice).decode


@asynccontextmanager
async def seeing_all(connection: Connection) -> AsyncIterator[None]:
    """The rules look at more than who plans may see; what they find is told of the plan's area alone, and of a number
    by whom else it was registered."""
    [before] = await connection.fetch(SQL.scope)
    await connection.execute(SCOPE.set_scope, *[[EVERYTHING]] * 3, before["timeout"])
    try:
        yield
    finally:
        scopes = before["areas"], before["organisations"], before["sources"]
        await connection.execute(SCOPE.set_scope, *scopes, before["timeout"])


async def plan(connection: Connection, wanted: Wanted, today: date) -> Plan:
    """To be called within one repeatable-read transaction. Part by part: an area may have more than memory holds."""
    async with seeing_all(connection):
        candidates = [Whole(lane, Name(*name)) for lane, *name in await connection.fetch(SQL.candidates, wanted.area)]
        on_the_way = await _on_the_way(connection, wanted)
        every, lines = {*candidates}, list[Line]()
        for lane, some in groupby(candidates, key=attrgetter("lane")):
            known = await RULES.load(connection, lane)  # type: ignore[arg-type]
            for part in _parts(some):
                draft = await _draft(connection, lane, known, wanted.area, part)
                statements = {one: draft[STATEMENTS][one.name] for one in part}
                twice = await _twice(connection, statements, every, on_the_way)
                lines += [_line(draft, one, wanted, today, twice.get(one, ()), on_the_way.get(one)) for one in part]
    return Plan(wanted=wanted, as_of=today, lines=lines)


def _parts(candidates: Iterable[Whole]) -> Iterator[list[Whole]]:
    """What a hospital and a supplier have between them stays together: of one it depends what is open of another."""
    part: list[Whole] = []
    for _, pair in groupby(candidates, key=lambda one: one.name[:2]):
        part += pair
        if len(part) >= plans.AT_ONCE:
            yield part
            part = []
    if part:
        yield part


async def _draft(connection: Connection, lane: int, known: Draft, area: str, part: Iterable[Whole]) -> Draft:
    """All that a lane would read, were these agreed to."""
    names = (one.name for one in part)
    facts = [_fact(lane, provider, area, [*some]) for provider, some in groupby(names, key=attrgetter("provider"))]
    draft = RULES.draft(known)
    await RULES.read(connection, lane, draft, Batch(facts, foreseen=True))  # type: ignore[arg-type]
    return draft


def _fact(lane: int, provider: str, area: str, names: Iterable[Name]) -> Accepted:
    event = _agreed(provider, area, date.min, [(name, 0, ()) for name in names])
    record = Outgoing(topic="", partition=lane, offset=0, timestamp=0, key=None, value=None, headers=())
    return Accepted(
        record=record, source=SOURCE, id="", type="", time="", identity=b"", digest=b"", event=event
    )  # fmt: skip


def _agreed(
    provider: str, area: str, on: date, statements: Iterable[tuple[Name, int, Sequence[str]]]
) -> StatementsAgreed:
    return StatementsAgreed(
        provider=provider,
        area=area,
        plan_ref="",
        plan_hash="",
        statements=[plans.agreed(*one) for one in statements],
        approvers=[],
        agreed_on=on,
    )


def _line(draft: Draft, one: Whole, wanted: Wanted, today: date, twice: Sequence[Left], on_its_way: str | None) -> Line:
    """What the lane would answer to a yes of today."""
    name = one.name
    for noted in disputing.rematched(draft, name, today, NOWHERE):
        RULES.evolve(draft, noted)
    statement = draft[STATEMENTS][name]
    without = {left.invoice for left in twice}
    open = requesting.payable(draft, name, statement)
    fen = sum(line.fen for line in open if line.invoice not in without)
    left = [*twice, *_in_dispute(statement), *_of_whole(statement, fen, open, wanted, on_its_way)]
    told = Line(
        lane=one.lane, provider=name.provider, supplier=name.supplier, statement_ref=name.ref,
        open=sum(line.fen for line in open), amounts={}, due=None, left=left,
    )  # fmt: skip
    if not fen or any(not one.invoice for one in left):
        return told
    event = _agreed(name.provider, wanted.area, today, [(name, fen, told.without)])
    amounts: dict[str, int] = {}
    due: date | None = None
    for answer in requesting.agreed(draft, event, NOWHERE):
        RULES.evolve(draft, answer)
        match answer:
            case StatementRequested():
                amounts = added(amounts, fens(answer.amounts))
                due = min(due or answer.due, answer.due)
            case StatementWithheld():
                left = [*left, Left(code=plans.WITHHELD, detail=answer.detail)]
    return msgspec.structs.replace(told, amounts=amounts, due=due, left=left)


def _in_dispute(statement: Statement) -> Iterable[Left]:
    for fault in statement.faults:
        if fault.until is None:
            yield Left(
                code=fault.code, detail=fault.detail, invoice=fault.invoice, order_no=fault.order_no, line=fault.line
            )
    for one in statement.dropped:
        yield Left(
            code="DROPPED", detail="the fund never pays it", invoice=one.invoice, order_no=one.order_no, line=one.line
        )


def _of_whole(
    statement: Statement, fen: int, open: Sequence[Open], wanted: Wanted, on_its_way: str | None
) -> Iterable[Left]:
    if on_its_way is not None:
        yield Left(code=plans.ON_ITS_WAY, detail=f"plan {on_its_way} was agreed to, and is on its way")
    if not statement.mode:
        why = "somebody of the agency has to see to it" if statement.escalated else "its hospital may still say so"
        yield Left(code=plans.NOT_CONFIRMED, detail=f"submitted on {statement.submitted_on}; not confirmed: {why}")
    due = min((line.due for line in open), default=None)
    if wanted.due_until is not None and due is not None and due > wanted.due_until:
        yield Left(code=plans.LATER, detail=f"{money.yuan(fen)} is due on {due}")


# -- what other lanes, and other plans, have of it


async def _on_the_way(connection: Connection, wanted: Wanted) -> Mapping[Whole, str]:
    """The statements of plans that were agreed to, of which the lanes have not read it yet, and the plan of each."""
    found: dict[Whole, str] = {}
    for row in await connection.fetch(SQL.agreed):
        kept = _plan(row["body"])
        if (kept.wanted.area, kept.wanted.plan_ref) == (wanted.area, wanted.plan_ref):
            continue
        unread = await _unread(connection, kept)
        if not unread:
            await connection.execute(SQL.close, row["area"], row["plan_ref"])
        for part in unread:
            found.update({Whole(line.lane, line.name): kept.wanted.plan_ref for line in part.lines})
    return found


async def _unread(connection: Connection, kept: Plan) -> Sequence[Part]:
    """What was not accepted yet."""
    identities = {(part.lane, envelope.identity_of(SOURCE.encode(), part.id.encode())): part for part in kept.parts}
    lanes = sorted({lane for lane, _ in identities})
    rows = await connection.fetch(commands.SQL.accepted, lanes, [identity for _, identity in identities])
    read = {(row["lane"], row["identity"]) for row in rows}
    return [part for of, part in identities.items() if of not in read]


async def _twice(
    connection: Connection, part: Mapping[Whole, Statement], candidates: Collection[Whole],
    on_the_way: Mapping[Whole, str],
) -> Mapping[Whole, Sequence[Left]]:  # fmt: skip
    """Of some of all candidates: the invoices of which another registration stays."""
    named = [(one.lane, *one.name.beside(ref)) for one, statement in part.items() for ref in statement.invoices]
    rows = await connection.fetch(SQL.registrations, *map(list, zip(*named, strict=True))) if named else []
    groups: dict[str, list[Registration]] = defaultdict(list)
    for row in rows:
        body = _invoice(row["body"])
        one = Registration(*(row[name] for name in Registration._fields))
        if body.taken_back < body.fen or one.statement in candidates:
            groups[row["key"]].append(one)
    others = {one.statement for group in groups.values() for one in group if one.statement_ref} - part.keys()
    statements = {**part, **await _statements(connection, others)}
    found: dict[Whole, list[Left]] = defaultdict(list)
    for group in groups.values():
        stays = plans.first(group, statements, on_the_way)
        for one in group:
            if one is not stays and one.statement in part:
                found[one.statement].append(Left(code=plans.LIVE_TWICE, detail=stays.told, invoice=one.ref))
    return found


async def _statements(connection: Connection, named: Collection[Whole]) -> Mapping[Whole, Statement]:
    if not named:
        return {}
    columns = map(list, zip(*((one.lane, *one.name) for one in sorted(named)), strict=True))
    rows = await connection.fetch(SQL.statements, *columns)
    return {
        Whole(row["lane"], Name(row["provider"], row["supplier"], row["ref"])): _statement(row["body"]) for row in rows
    }
