"""Master data in the database, read and written in a fixed number of statements."""

import asyncpg
import msgspec

from direct_pay import rows
from direct_pay.master import buyer, product
from direct_pay.master.buyer import CLAIMS, MONTHS, Claim
from direct_pay.master.product import CONTRACTS, PRODUCTS, WANTED, Key, Product
from direct_pay.master.supplier import SUPPLIERS
from medfund.events.claims import ClaimBatchAccepted
from medfund.events.instant import ClaimBatchApproved
from medfund.events.purchases import OrderPlaced
from medfund.events.suppliers import ContractSigned, ProductPriced
from medfund.lanes.draft import Draft, Known
from medfund.lanes.shelf import Batch, Shelf
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "master.sql")

_product = msgspec.json.Decoder(Product).decode
_products = msgspec.json.Decoder(list[str]).decode
_claim = msgspec.json.Decoder(Claim).decode


class Contracts(Shelf):
    """Those that are said anew."""

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        if signed := batch.of(ContractSigned):
            areas, refs = [event.area for event in signed], [event.contract_ref for event in signed]
            for row in await connection.fetch(SQL.contracts, lane, areas, refs):
                draft[CONTRACTS][Key(row["area"], row["ref"])] = _products(row["products"])

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        contracts = draft[CONTRACTS]
        if changed := sorted(contracts.changed):
            found = [(*key, rows.text(contracts[key])) for key in changed]
            await connection.execute(SQL.save_contracts, lane, *columns(found))


class Products(Shelf):
    """Those of which something is said, and those of every order that was read."""

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        wanted = {
            Key(event.area, one) for event in batch.of(ProductPriced, ContractSigned) for one in product.products(event)
        }
        wanted |= {Key(key.area, one) for key, known in draft[CONTRACTS].items() for one in known}
        wanted |= {Key(event.area, line.product) for event in batch.of(OrderPlaced) for line in event.lines}
        wanted |= draft[WANTED]
        if wanted:
            areas, refs = zip(*sorted(wanted), strict=True)
            for row in await connection.fetch(SQL.products, lane, areas, refs):
                draft[PRODUCTS][Key(row["area"], row["ref"])] = _product(row["body"])

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        products = draft[PRODUCTS]
        if changed := sorted(products.changed):
            found = [(*key, rows.text(products[key])) for key in changed]
            await connection.execute(SQL.save_products, lane, *columns(found))


class Claims(Shelf):
    """Of the hospitals' own claims those that the clearing service tells of; in memory, what each month came to."""

    async def load(self, connection: asyncpg.Connection, lane: int, known: Known) -> Known:
        months: dict[str, dict[str, dict[str, int]]] = {}
        for row in await connection.fetch(SQL.months, lane):
            months.setdefault(row["provider"], {}).setdefault(row["month"], {})[row["fund"]] = int(row["fen"])
        return known.replaced(MONTHS, months)

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        if named := {buyer.claim_of(event) for event in batch.of(ClaimBatchAccepted, ClaimBatchApproved)}:
            providers, refs = zip(*sorted(named), strict=True)
            for row in await connection.fetch(SQL.claims, lane, providers, refs):
                draft[CLAIMS][row["provider"], row["ref"]] = _claim(row["body"])

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        claims = draft[CLAIMS]
        if changed := sorted(claims.changed):
            found = [(*name, rows.text(claims[name])) for name in changed]
            await connection.execute(SQL.save_claims, lane, *columns(found))


class Suppliers(Shelf):
    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        if said := draft[SUPPLIERS]:
            found = [(area, ref, day.isoformat(), *word) for (area, ref, day), word in sorted(said.items())]
            await connection.execute(SQL.save_suppliers, lane, *columns(found))
