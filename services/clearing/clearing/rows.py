"""How what decisions made is kept: a JSON body, beside the columns that it is looked for by."""

import msgspec

encode = msgspec.json.Encoder(order="deterministic").encode


def text(value: object) -> str:
    return encode(value).decode()


def flag(value: bool) -> str:
    return "true" if value else "false"
