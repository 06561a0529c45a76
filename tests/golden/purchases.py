"""The stories of direct payment's golden histories: of each capability one in which it hears all that it listens to."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from tests.golden.stories import NOTICE
from tests.purchasing import INSULIN, METFORMIN, OTHER_SUPPLIER, STENT, SUPPLIER, Purchasing

Story: TypeAlias = Callable[[Purchasing], Awaitable[None]]

BY_TWO = {"evidence_ref": "doc-7", "approvers": ["anna", "bo"]}


async def purchases(fund: Purchasing) -> None:
    """Goods from the order to the invoice, in any order: refused, sent back, taken in twice; the key is what was
    approved of the hospital's claims."""
    fund.register()
    fund.policy()
    fund.mandate("anna")
    fund.put("provider.changed.v1", provider=fund.provider, valid_from="2026-01-09", name="市第二医院")
    fund.put_in_lane("calendar.published.v1", **NOTICE)
    for kind in ("registered", "changed"):
        fund.put_in_lane(f"supplier.{kind}.v1", supplier=SUPPLIER, valid_from="2026-01-01", account_ends="4417")
    fund.mandate_direct()
    fund.product(METFORMIN, "12.37")
    fund.product(INSULIN, "48.23", "NEGOTIATED")
    fund.contract(METFORMIN, INSULIN)
    fund.key(since="2027-01-01", version="2026-12")
    parts = {"310100": "70103.07", "390100": "29011.09"}
    fund.put("claim.batch.accepted.v1", provider=fund.provider, batch="B-7", amounts=parts, period_from="2026-07-01",
             period_to="2026-07-31")  # fmt: skip
    fund.put("claim.batch.approved.v1", provider=fund.provider, payable_ref="B-7", batches=["B-7"], approved=parts,
             bond={}, net=parts)  # fmt: skip
    fund.day("2026-08-20")
    await fund.drain()
    fund.order("CG-1", (METFORMIN, 103, "12.37"), (INSULIN, 17, "48.23"))
    fund.say("order.confirmed", order_no="CG-1", confirmed_on="2026-08-21")
    fund.ship("CG-1", (METFORMIN, 101), (INSULIN, 17))
    one, two = f"{1:032x}", f"{2:032x}"
    fund.accept("CG-1", lines=[{"line": 1, "lot": "L1", "accepted": 97, "traces": [one, two]},
                               {"line": 2, "lot": "L1", "accepted": 17}])  # fmt: skip
    fund.cancel("CG-1", {1: 2})
    await fund.drain()
    fund.accept("CG-2", lines=[{"line": 1, "lot": "L1", "accepted": 3, "traces": [two]}])
    fund.ship("CG-2", (METFORMIN, 3))
    fund.order("CG-2", (METFORMIN, 3, "12.37"))
    fund.give_back("CG-1", 1, 7)
    fund.red(11, fund.invoice(1, "CG-1", (METFORMIN, 97, "12.37")), "86.59")
    await fund.drain()
    fund.red(12, "26372000000000000002", "820.00")
    fund.invoice(2, "CG-1", lines=[{"order_no": "CG-1", "line": 2, "product": INSULIN, "quantity": 17,
                                    "price": "48.23", "amount": "819.91"}])  # fmt: skip
    fund.red(13, "26372000000000000001", "9000.01")


async def statements(fund: Purchasing) -> None:
    """Refused, taken back, disputed by the hospital and by the match, confirmed, warned of, requested, paid, late, and
    lowered by red letters; one is withheld, and one waits for its invoice."""
    await fund.set_up()
    fund.put_in_lane("calendar.published.v1", **NOTICE)
    fund.deliver("CG-1", (METFORMIN, 101, "12.34"), (STENT, 3, "796.00"))
    first, second = fund.invoice(1, "CG-1", (METFORMIN, 101, "12.34")), fund.invoice(
        2, "CG-1", lines=[{"order_no": "CG-1", "line": 2, "product": STENT, "quantity": 3, "price": "796.01",
                           "amount": "2388.03"}])  # fmt: skip
    fund.deliver("CG-2", (INSULIN, 19, "48.20"))
    third = fund.invoice(3, "CG-2", (INSULIN, 19, "48.20"))
    fund.submit_statement("DZ-0", {first: "1246.34"}, on="2026-09-09")
    fund.say("statement.withdrawn", statement_ref="DZ-0", withdrawn_on="2026-09-10")
    await fund.drain()
    lines = {first: "1246.34", second: "2388.03", third: "915.80"}
    fund.submit_statement("DZ-1", {first: "1246.35"}, on="2026-09-11")
    fund.submit_statement("DZ-1", lines, on="2026-09-12")
    fund.dispute("DZ-1", third, on="2026-09-13")
    await fund.drain()
    fund.red(11, second, "0.03", on="2026-09-14")
    fund.day("2026-09-28")
    await fund.drain()
    fund.confirm("DZ-1", on="2026-09-29")
    fund.resolve("DZ-1", third, on="2026-09-29")
    fund.submit_statement("DZ-2", {"26372000000000000009": "7.00"}, on="2026-09-29")
    fund.agree({"DZ-1": "2162.14", "DZ-2": "7.00"}, on="2026-09-29")
    [event] = await fund.said("statement.requested")
    fund.red(12, third, "96.40", on="2026-09-30")
    fund.paid(event, on="2026-09-30", amounts={"310100": "852.12", "390100": "394.22"}, lines=event["lines"][:1])
    fund.day("2026-10-23")
    fund.day("2026-11-10")


async def arrears(fund: Purchasing) -> None:
    """Old debts of a hospital's own, cleared before anybody had registered them, and further than they went."""
    fund.register()
    said = {"provider": fund.provider, "supplier": OTHER_SUPPLIER, **BY_TWO}
    for ref in ("QK-1", "QK-2"):
        fund.put("arrears.cleared.v1", arrears_ref=ref, amounts={"310100": "2.03"}, cleared_on="2026-02-03", **said)
        await fund.drain()
        fund.put("arrears.registered.v1", arrears_ref=ref, amounts={"310100": "71.09"}, since="2021-05-31", **said)
        fund.put("arrears.cleared.v1", arrears_ref=ref, amounts={"310100": "80.07"}, cleared_on="2026-02-04", **said)


STORIES: Mapping[str, Story] = {story.__name__: story for story in (purchases, statements, arrears)}
