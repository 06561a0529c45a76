"""The ledger over HTTP: one file per endpoint, named after its method and what it answers."""

from ledger.settings import ApiSettings
from medfund.http import server


async def serve(settings: ApiSettings) -> None:
    """Answer until SIGTERM or SIGINT, then let open requests finish."""
    from ledger.api import app

    await server.make(app.create(settings), host=settings.host, port=settings.port).serve()
