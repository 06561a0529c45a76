"""What providers are owed, over HTTP: one file per endpoint, named after its method and what it answers."""

from clearing.settings import ApiSettings
from medfund.http import server


async def serve(settings: ApiSettings) -> None:
    """Answer until SIGTERM or SIGINT, then let open requests finish."""
    from clearing.api import app

    await server.make(app.create(settings), host=settings.host, port=settings.port).serve()
