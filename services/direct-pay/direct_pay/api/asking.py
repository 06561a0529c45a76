"""Between whom people say something, and what is said with it."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, Field

from medfund.http import knowledge, problems
from medfund.http.api import Kind
from medfund.http.commands import Command
from medfund.http.context import Context
from medfund.http.database import Connection
from medfund.http.problems import Problem
from medfund.http.questions import Party, Supplier
from medfund.http.tokens import EVERYTHING, Principal, Role
from medfund.lanes import partition


class OfPair(BaseModel):
    provider: Annotated[Party | None, Field(description="The hospital: a hospital need not name itself")] = None
    supplier: Annotated[Supplier | None, Field(description="A supplier need not name itself")] = None


class Pair(NamedTuple):
    provider: str
    supplier: str


def command(kind: Kind, lane: int, says: Mapping[str, Any]) -> Command:
    """Everything that is said is in the keys: what came to nothing may be asked for again on another day, or by another
    person."""
    data = {name: value for name, value in says.items() if value is not None}
    return Command(kind, tuple(str(data[name]) for name in sorted(data)), lane, data)


def pair(caller: Principal, asked: OfPair) -> Pair:
    """Raises `Problem`."""
    return Pair(
        asked.provider or _own(caller, Role.provider, "provider"),
        asked.supplier or _own(caller, Role.supplier, "supplier"),
    )


def _own(caller: Principal, role: Role, name: str) -> str:
    if caller.role == role and len(caller.organisations) == 1:
        return caller.organisations[0]
    raise Problem("parameter_invalid", f"{name}: say whose it is, for the name of a statement is its supplier's own")


async def opened(connection: Connection) -> date:
    """The day that was opened last. Raises `Problem`."""
    if (today := await knowledge.today(connection)) is None:
        raise Problem("not_found", "no day was opened yet", detail_zh="尚未开启任何工作日")
    return today


def area(caller: Principal, asked: str | None) -> str:
    """In which a supplier says something that is the first of its kind. Raises `Problem`."""
    if asked is None and (len(caller.areas) != 1 or EVERYTHING in caller.areas):
        raise Problem("parameter_invalid", "area: say which, for you speak in several")
    if not caller.may_see_area(named := asked or caller.areas[0]):
        raise problems.unknown("area")
    return named


def lane_of(here: Context, provider: str) -> int:
    return partition.lane_of(provider.encode(), here.lanes)
