"""The ledger's HTTP API, as any other caller sees it: an address and a token."""

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

CALL_LIMIT_S = 30.0
AGAIN = frozenset({409, 425, 429, 503, 504})
"""What may be otherwise in a moment: not booked yet, busy, database or log unavailable."""
PAUSE_S = 0.05
TRIES = 200
PAGE = 1000


class Refused(Exception):
    """The API answered, and not with what was asked for."""


class Api:
    """One caller."""

    def __init__(self, address: str, token: str) -> None:
        self.address = address
        self._host = urlsplit(address).netloc
        self._headers = {"authorization": f"Bearer {token}"}

    def get(self, path: str, **parameters: Any) -> Any:
        """The answer. Raises `Refused`."""
        status, body = self.ask(path, **parameters)
        if status != http.client.OK:
            raise Refused(f"GET {path}: {status} {body}")
        return body

    def ask(self, path: str, **parameters: Any) -> tuple[int, Any]:
        """Status and body, whatever they are; what may be otherwise in a moment is asked again for a while."""
        query = urlencode({name: value for name, value in parameters.items() if value is not None})
        for left in reversed(range(TRIES)):
            status, body = self._once(f"{path}?{query}" if query else path)
            if status not in AGAIN or not left:
                return status, body
            time.sleep(PAUSE_S)
        raise AssertionError

    def command(self, path: str, **content: Any) -> Any:
        """Ask for something to be done, and wait for what became of it. Raises `Refused`."""
        headers = {**self._headers, "content-type": "application/json"}
        status, given = self._once(path, "POST", json.dumps(content).encode(), headers)
        if status != http.client.ACCEPTED:
            raise Refused(f"POST {path}: {status} {given}")
        for _ in range(TRIES):
            outcome = self.get(given["look"])
            if outcome["state"] != "PENDING":
                return outcome
            time.sleep(PAUSE_S)
        raise Refused(f"POST {path}: nothing became of {given['command']}")

    def post(self, path: str, **content: Any) -> Any:
        """The answer to something that is done at once. Raises `Refused`."""
        headers = {**self._headers, "content-type": "application/json"}
        status, told = self._once(path, "POST", json.dumps(content).encode(), headers)
        if status != http.client.OK:
            raise Refused(f"POST {path}: {status} {told}")
        return told

    def _once(
        self, target: str, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(self._host, timeout=CALL_LIMIT_S)
        try:
            connection.request(method, target, body, dict(headers or self._headers))
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except OSError as error:
            raise Refused(f"{method} {target}: {error}") from error
        finally:
            connection.close()

    def pages(self, path: str, member: str, **parameters: Any) -> Iterator[Any]:
        """Every row of an answer that comes in pages."""
        cursor = None
        while True:
            page = self.get(path, **parameters, limit=PAGE, cursor=cursor)
            yield from page[member]
            cursor = page["next"]
            if cursor is None:
                return

    def event(self, source: str, id: str, **parameters: Any) -> Any:
        """What became of an event."""
        return self.get(f"/v1/events/{quote(source, safe='')}/{quote(id, safe='')}", **parameters)
