"""Between whom something is, and what people know them by."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, NamedTuple

from pydantic import BaseModel, Field

from direct_pay.names import Name
from medfund.http import knowledge
from medfund.http.answers import ProviderName
from medfund.http.database import Connection
from medfund.http.questions import OfProvider, Supplier
from medfund.postgres import queries

SQL = queries.load(__file__, "naming.sql")


class OfBoth(OfProvider):
    supplier: Supplier | None = None


class Between(BaseModel):
    area: str
    provider: str
    provider_name: ProviderName
    supplier: str
    supplier_name: Annotated[str | None, Field(description="As it was registered; null where it was not told")]


class Called(NamedTuple):
    """By code, as far as it was told."""

    providers: Mapping[str, str]
    suppliers: Mapping[str, str]

    def between(self, area: str, name: Name) -> Between:
        provider, supplier = name.provider, name.supplier
        return Between(
            area=area,
            provider=provider,
            provider_name=self.providers.get(provider),
            supplier=supplier,
            supplier_name=self.suppliers.get(supplier),
        )


async def called(connection: Connection, lanes: Sequence[int], names: Iterable[Name]) -> Called:
    found = [*names]
    suppliers = await connection.fetch(SQL.suppliers, lanes, sorted({one.supplier for one in found}))
    return Called(
        await knowledge.names(connection, lanes, (one.provider for one in found)),
        {row["ref"]: row["name"] for row in suppliers},
    )
