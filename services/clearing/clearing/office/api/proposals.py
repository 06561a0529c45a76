"""Proposals: what waits for a second person, who asked, who agreed, and what it would change."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import asyncpg
import msgspec
from pydantic import BaseModel, Field

from clearing.api import samples
from clearing.office import proposals
from clearing.office.proposals import EVERY_AREA, TYPES, Kind
from medfund.events.kinds import KINDS as EVENTS
from medfund.http import api, examples, problems
from medfund.http.answers import Name
from medfund.http.commands import Command
from medfund.http.context import Context
from medfund.http.database import Connection
from medfund.http.tokens import EVERYTHING, Principal
from medfund.lanes import partition
from medfund.postgres import queries

SQL = queries.load(__file__, "proposals.sql")
LANE = 0
"""What is said of people, sources and rules is written into every lane: any of them knows it."""
KINDS: dict[Kind, Name] = {
    "mandate": Name(zh="审批授权", en="a mandate to approve payments"),
    "source": Name(zh="数据来源登记", en="a source that may speak"),
    "policy": Name(zh="政策参数", en="the rules of an area"),
    "balance": Name(zh="期初余额", en="what an account begins with"),
    "item": Name(zh="期初未结事项", en="what a provider owes or is owed when the books begin"),
    "payee": Name(zh="医药企业收款主体变更", en="who is paid what a supplier is owed"),
    "cap": Name(zh="直接结算额度上限", en="up to what suppliers are paid for a provider"),
    "true_up": Name(zh="基金间调剂", en="what a fund takes over of what another one is owed for suppliers"),
    "arrears": Name(zh="历史欠款登记", en="what a provider owes a supplier from before"),
    "clearance": Name(zh="历史欠款核销", en="arrears that are paid or forgiven"),
}
COMMANDS = {kind: api.Kind(kind, type, learned=kind not in proposals.DECIDED) for kind, type in TYPES.items()}
_KNOWN: dict[Kind, str] = {"mandate": SQL.mandates, "source": SQL.sources, "policy": SQL.policies}
"""What might be in force already."""


class Change(BaseModel):
    name: str
    now: Annotated[
        str | None,
        Field(
            description="As it is in force; null where nothing is said of it. Of what an account begins with: what two"
            " people have said before, all together"
        ),
    ]
    then: Annotated[
        str | None,
        Field(
            description="As it would be; null where nothing would be said of it. Of what an account begins with: the"
            " sum, for a balance adds to what there is"
        ),
    ]


PROPOSAL: examples.Json = {
    "proposal": "SQ-2026-014",
    "kind": "mandate",
    "says": {
        "area": samples.AREA,
        "staff_ref": "staff-7c41",
        "role": "approver",
        "limit": "800000.00",
        "valid_from": "2026-03-01",
    },
}
HASH = "9f1c3f0f2ac0a1f3b4f3d2f0c8d0a7b1c6e5d4f3a2b1c0d9e8f7a6b5c4d3e2f1"
PROPOSED: examples.Json = {
    "area": samples.AREA,
    **PROPOSAL,
    "kind_name": {"zh": "审批授权", "en": "a mandate to approve payments"},
    "type": "staff.mandated.v1",
    "hash": HASH,
    "proposed_by": "staff-5d03",
    "proposed_at": "2026-02-26T01:15:00Z",
    "approved_by": None,
    "approved_at": None,
    "changes": [
        {"name": "limit", "now": "500000.00", "then": "800000.00"},
        {"name": "valid_from", "now": "2026-01-01", "then": "2026-03-01"},
    ],
    "look": None,
}


class Proposal(BaseModel):
    model_config = examples.of(PROPOSED)

    area: Annotated[str, Field(description="In which it is filed; `*` where it is about every area")]
    proposal: str
    kind: Kind
    kind_name: Name
    type: Annotated[str, Field(description="Of the event that it becomes")]
    hash: Annotated[str, Field(description="Of all that it says: what is agreed to is this")]
    says: dict[str, Any]
    proposed_by: str
    proposed_at: datetime
    approved_by: Annotated[str | None, Field(description="Null while it waits")]
    approved_at: datetime | None
    changes: Annotated[list[Change] | None, Field(description="While it waits: what it would change now")]
    look: Annotated[str | None, Field(description="Where to look for what became of it, once it is approved")]


def command(here: Context, row: Any, approved_by: str) -> Command:
    """What the two people say together."""
    data = proposals.data(row["kind"], msgspec.json.decode(row["says"]), row["proposed_by"], approved_by)
    return made(here, row["kind"], (row["area"], row["proposal_ref"]), data)


def made(here: Context, kind: Kind, keys: tuple[str, str], data: dict[str, Any]) -> Command:
    """What is about an area or a provider goes into its lane, the rest into every lane."""
    key = data.get(EVENTS[TYPES[kind]].key)
    lane = partition.lane_of(key.encode(), here.lanes) if isinstance(key, str) else None
    return Command(COMMANDS[kind], keys, lane, data, filed=proposals.filed_under(data))


async def checked(connection: Connection, caller: Principal, kind: Kind, says: dict[str, Any]) -> None:
    """Whether the caller speaks for all that it is about, and that it takes the place of. Raises `Problem`."""
    within(caller, says)
    if (now := await _in_force(connection, kind, says)) is not None:
        within(caller, now)


def within(caller: Principal, says: Mapping[str, Any]) -> None:
    """Raises `Problem`."""
    wanted = proposals.areas(says) or [EVERY_AREA]
    seen = all(EVERYTHING in caller.areas if area == EVERY_AREA else caller.may_see_area(area) for area in wanted)
    if not seen or EVERYTHING not in caller.organisations:
        raise problems.unknown("area")


async def one(connection: Connection, area: str, ref: str) -> asyncpg.Record:
    """Raises `Problem`."""
    row = await connection.fetchrow(SQL.one, area, ref)
    if row is None:
        raise problems.unknown("proposal")
    return row


async def told(connection: Connection, here: Context, row: Any) -> Proposal:
    kind: Kind = row["kind"]
    says = msgspec.json.decode(row["says"])
    approved_by = row["approved_by"]
    return Proposal(
        area=row["area"],
        proposal=row["proposal_ref"],
        kind=kind,
        kind_name=KINDS[kind],
        type=TYPES[kind],
        hash=row["hash"],
        says=says,
        proposed_by=row["proposed_by"],
        proposed_at=row["proposed_at"],
        approved_by=approved_by,
        approved_at=row["approved_at"],
        changes=None if approved_by else await _changes(connection, kind, says),
        look=f"/v1/commands/{command(here, row, approved_by).id}" if approved_by else None,
    )


async def _changes(connection: Connection, kind: Kind, says: dict[str, Any]) -> list[Change]:
    now = await _in_force(connection, kind, says)
    found = proposals.changes(now, proposals.becomes(kind, now, says))
    return [Change(**change._asdict()) for change in found]


async def _in_force(connection: Connection, kind: Kind, says: dict[str, Any]) -> Mapping[str, Any] | None:
    if kind in proposals.ABOUT:
        rows = await connection.fetch(SQL.said, kind, says["area"])
        return proposals.in_force(kind, says, [msgspec.json.decode(row["says"]) for row in rows])
    about = [says["source"]] if kind == "source" else proposals.areas(says)
    rows = await connection.fetch(_KNOWN[kind], LANE, about) if kind in _KNOWN else []
    return proposals.in_force(kind, says, [msgspec.json.decode(row["body"]) for row in rows])
