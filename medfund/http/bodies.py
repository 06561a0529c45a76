"""Request bodies: read whole, in bounded memory and time, as the bytes that were sent."""

import asyncio
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from medfund.http import problems
from medfund.http.problems import Problem

BODY_TIMEOUT_S = 20.0

Model = TypeVar("Model", bound=BaseModel)


async def read_as(request: Request, model: type[Model], *, bytes_max: int) -> Model:
    """The JSON body as a model, kept for whoever records a refusal. Raises `Problem` with every place that is wrong."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem("media_type_unsupported", "Send application/json")
    body = await read(request, bytes_max=bytes_max)
    try:
        made = model.model_validate_json(body)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        if errors[0]["type"] == "json_invalid":
            raise Problem("body_malformed", "The body is not JSON") from error
        raise Problem("parameter_invalid", errors=problems.places(errors)) from error
    request.state.asked = made.model_dump(mode="json", exclude_none=True)
    return made


async def read(request: Request, *, bytes_max: int) -> bytes:
    """The body. Raises `Problem` when it is larger than `bytes_max`, compressed, or too slow."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Problem("media_type_unsupported", "Compressed bodies are not accepted")
    if int(request.headers.get("content-length", "0")) > bytes_max:
        raise _too_large(bytes_max)
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await _read(request, bytes_max)
    except TimeoutError as error:
        raise Problem("body_too_slow") from error
    except ClientDisconnect as error:
        raise Problem("body_malformed", "The connection ended before the body did") from error


async def _read(request: Request, bytes_max: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > bytes_max:
            raise _too_large(bytes_max)
    return bytes(body)


def _too_large(bytes_max: int) -> Problem:
    return Problem("body_too_large", f"At most {bytes_max} bytes are accepted here")
