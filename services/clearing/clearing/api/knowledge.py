"""What the areas have said of their people, their rules and their funds, as a lane of clearing knows it."""

from clearing.service import Clearing
from medfund.events.agency import FundFiguresPublished, PolicyPublished
from medfund.events.treasury import StaffMandated
from medfund.http import knowledge
from medfund.http.database import Connection
from medfund.lanes.draft import Known

calendar, today = knowledge.calendar, knowledge.today


async def of(connection: Connection, lane: int) -> Known:
    return await knowledge.of(connection, Clearing, lane, PolicyPublished, StaffMandated, FundFiguresPublished)
