"""What a hospital buys of suppliers, for tests: the log in memory, direct payment on a real database, one lane."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from medfund import money
from tests import events
from tests.conftest import Database
from tests.fund import LANE, LANES, PROVIDER, Fund, services

SUPPLIER, OTHER_SUPPLIER = "91370000MA0000001T", "91371000MA0000002A"
METFORMIN, STENT, INSULIN = "XA10BBA012A001010100483", "C0201010010100100001", "XA10ABG047B002010104021"
"""Of classes BULK, BULK and NEGOTIATED."""
KEY = {"310100": 6837, "390100": 3163}
NAMES = ("direct_pay", "clearing", "ledger")


def invoice_no(number: int) -> str:
    return f"2637200000{number:010d}"


class Purchasing(Fund):
    """One hospital, its suppliers, and the days."""

    # -- master data

    async def set_up(self, **policy: str) -> None:
        """A hospital with a mandate and a key, three products, and a contract for them."""
        self.register()
        self.policy(**policy)
        self.mandate_direct()
        self.key()
        self.product(METFORMIN, "12.34")
        self.product(STENT, "796.00")
        self.product(INSULIN, "48.20", "NEGOTIATED")
        self.contract(METFORMIN, STENT, INSULIN)
        await self.drain()

    def mandate_direct(self, ownership: str = "PUBLIC", *, since: str = "2025-01-01", **data: Any) -> None:
        self.put("direct.mandate.changed.v1", provider=self.provider, ownership=ownership, valid_from=since, **data)

    def key(self, weights: Mapping[str, int] = KEY, *, since: str = "2025-01-01", version: str = "2026-08") -> None:
        self.put("split.key.published.v1", provider=self.provider, weights=dict(weights), valid_from=since,
                 version=version)  # fmt: skip

    def product(self, product: str, price: str, of: str = "BULK", *, since: str = "2025-01-01", **data: Any) -> None:
        content = {"product_class": of, "valid_from": since, "valid_to": None, **data}
        self.put_in_lane("product.priced.v1", product=product, price=price, **content)

    def contract(self, *products: str, supplier: str = SUPPLIER, ref: str = "JC-1", **data: Any) -> None:
        content = {"valid_from": "2025-01-01", "valid_to": "2027-12-31", **data}
        self.put_in_lane("contract.signed.v1", contract_ref=ref, supplier=supplier, products=list(products), **content)

    # -- goods

    def say(self, type: str, supplier: str = SUPPLIER, **data: Any) -> None:
        self.put(f"{type}.v1", provider=self.provider, supplier=supplier, **data)

    def order(self, no: str, *lines: tuple[str, int, str], on: str = "2026-08-20", **data: Any) -> None:
        """Of a product so many at a price."""
        content = [
            {"line": n, "product": product, "quantity": quantity, "price": price}
            for n, (product, quantity, price) in enumerate(lines, 1)
        ]
        self.say("order.placed", order_no=no, placed_on=on, lines=content, **data)

    def cancel(self, no: str, quantities: Mapping[int, int], *, on: str = "2026-08-28") -> None:
        lines = [{"line": line, "quantity": quantity} for line, quantity in quantities.items()]
        self.say("order.cancelled", order_no=no, cancelled_on=on, lines=lines)

    def ship(
        self, no: str, *lines: tuple[str, int], on: str = "2026-09-01", lot: str = "L1", expires: str | None = None,
        numbers: Sequence[int] = (), **data: Any,
    ) -> None:  # fmt: skip
        content = [
            {"line": n, "product": product, "quantity": quantity, "lot": lot, "expires_on": expires}
            for n, (product, quantity) in zip(numbers or range(1, 99), lines, strict=False)
        ]
        self.say(
            "shipment.dispatched", order_no=no, shipment_no=f"PS-{no}-{lot}", dispatched_on=on, lines=content, **data
        )

    def accept(self, no: str, *quantities: int, on: str = "2026-09-06", lot: str = "L1", **data: Any) -> None:
        content = [{"line": n, "lot": lot, "accepted": quantity} for n, quantity in enumerate(quantities, 1)]
        content = data.pop("lines", content)
        self.say("delivery.accepted", order_no=no, shipment_no=f"PS-{no}-{lot}", accepted_on=on, lines=content, **data)

    def give_back(self, no: str, line: int, quantity: int, *, on: str = "2026-09-20", lot: str = "L1") -> None:
        lines = [{"line": line, "quantity": quantity, "lot": lot}]
        self.say("goods.returned", order_no=no, shipment_no=f"PS-{no}-{lot}", returned_on=on, lines=lines)

    def deliver(self, no: str, *lines: tuple[str, int, str], on: str = "2026-09-06", **data: Any) -> None:
        """Ordered, sent and taken in, all of it."""
        self.order(no, *lines, **data)
        self.ship(no, *((product, quantity) for product, quantity, _ in lines), **data)
        self.accept(no, *(quantity for _, quantity, _ in lines), on=on, **data)

    # -- paper

    def invoice(self, number: int, no: str, *lines: tuple[str, int, str], on: str = "2026-09-08", **data: Any) -> str:
        """What is invoiced of an order, line by line."""
        given = data.pop("lines", None)
        content = given or [
            {"order_no": no, "line": n, "product": product, "quantity": quantity, "price": price,
             "amount": money.yuan(money.cost(quantity, money.micros(price)))}
            for n, (product, quantity, price) in enumerate(lines, 1)
        ]  # fmt: skip
        total = sum(money.fen(line["amount"]) for line in content)
        said = {"invoice": invoice_no(number), "upstream": None, **data}
        self.say("invoice.registered", issued_on=on, amount=money.yuan(total), tax="0.00", lines=content, **said)
        return str(said["invoice"])

    def red(self, number: int, blue: str, amount: str, *, on: str = "2026-09-22", **data: Any) -> str:
        self.say("invoice.red_issued", invoice=invoice_no(number), blue=blue, amount=amount, tax="0.00", issued_on=on,
                 **data)  # fmt: skip
        return invoice_no(number)

    def submit_statement(self, ref: str, lines: Mapping[str, str], *, on: str = "2026-10-03", **data: Any) -> None:
        total = sum(map(money.fen, lines.values()))
        content = [{"invoice": invoice, "amount": amount} for invoice, amount in lines.items()]
        said = {"period": "2026-09-01", "submitted_by": "sue", **data}
        self.say(
            "statement.submitted", statement_ref=ref, submitted_on=on, total=money.yuan(total), lines=content, **said
        )

    def confirm(self, ref: str, *, on: str = "2026-10-05", by: str | None = "hal", **data: Any) -> None:
        self.say("statement.confirmed", statement_ref=ref, confirmed_on=on, confirmed_by=by, **data)

    def dispute(self, ref: str, invoice: str, *, on: str, **data: Any) -> None:
        content = {"order_no": None, "line": None, **data, **_said_by(data)}
        self.say("statement.line.disputed", statement_ref=ref, invoice=invoice, disputed_on=on, **content)

    def resolve(self, ref: str, invoice: str, outcome: str = "PAY", *, on: str, **data: Any) -> None:
        content = {"order_no": None, "line": None, **data, **_said_by(data)}
        self.say(
            "statement.line.resolved", statement_ref=ref, invoice=invoice, outcome=outcome, resolved_on=on, **content
        )

    def agree(
        self, amounts: Mapping[str, str], *, on: str = "2026-10-07", plan: str = "JS-1", supplier: str = SUPPLIER
    ) -> None:
        """Two people agree to a plan with some statements."""
        content = [{"supplier": supplier, "statement_ref": ref, "amount": amount} for ref, amount in amounts.items()]
        self.put("statements.agreed.v1", provider=self.provider, plan_ref=plan, statements=content, agreed_on=on)

    def paid(self, event: Mapping[str, Any], *, on: str, how: str = "BANK", **data: Any) -> None:
        """What the clearing service says when it was paid, or came back."""
        content = {name: event[name] for name in ("payable_ref", "statement_ref", "amounts", "lines")}
        self.say("supplier.payment.settled", how=how, value_date=on, **{**content, **data})

    # -- and the service answers

    async def said(self, *types: str) -> list[dict[str, Any]]:
        """What direct payment decided, in order, with the type as `type`."""
        return await self.written("direct-pay", *types)

    async def disputed(self) -> list[tuple[str, str]]:
        """Codes and details of what was in dispute when statements were matched."""
        return [(one["code"], one["detail"]) for event in await self.said("statement.matched")
                for one in event["disputes"]]  # fmt: skip

    async def refused(self) -> list[tuple[str, str]]:
        rows = await self.control.fetch("select reason, detail from direct_pay.quarantine where lane = $1", self.lane)
        return [(row["reason"], row["detail"]) for row in rows]


@asynccontextmanager
async def buying(
    database: Database, *, names: Sequence[str] = ("direct_pay",), lane: int = LANE, lanes: int = LANES
) -> AsyncIterator[Purchasing]:
    """Direct payment, or more services, on one fresh database, with one lane claimed."""
    async with services(database, lanes, names) as (control, connections):
        fund = Purchasing(control, connections, lane=lane, lanes=lanes)
        for name in connections:
            await fund.claim(name)
        yield fund


__all__ = ["KEY", "NAMES", "PROVIDER", "Purchasing", "buying", "events"]


def _said_by(data: Mapping[str, Any]) -> Mapping[str, str]:
    """What the agency says, it says by command."""
    return {"source": "/direct-pay/commands"} if data.get("speaks_for") == "AGENCY" else {}
