"""What every endpoint works with, made once per process and passed down."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from ledger.api.appending import Appending
from ledger.api.log_reading import LogReading
from ledger.api.probe import Probe
from ledger.service import Ledger
from medfund.http import access
from medfund.http.access import Access
from medfund.http.database import Database
from medfund.http.tokens import Principal


@dataclass(frozen=True)
class Context:
    lanes: int
    cursor_key: bytes
    access: Access
    database: Database
    reading: LogReading
    appending: Appending
    probe: Probe
    service: Ledger


async def _context(request: Request) -> Context:
    made: Context = request.app.state.context
    return made


Here = Annotated[Context, Depends(_context)]
Caller = Annotated[Principal, Depends(access.principal)]
