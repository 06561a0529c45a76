"""The papers of a purchase come in any order: what is paid in the end, and what is in dispute, is the same."""

import datetime
from collections.abc import Iterable
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from direct_pay.invoices.invoice import INVOICES
from direct_pay.names import Name
from direct_pay.orders.order import ORDERS
from direct_pay.service import DirectPay
from direct_pay.statements import requesting
from direct_pay.statements.statement import LOOKED_AT, STATEMENTS
from medfund import money
from medfund.events.kinds import KINDS, Event, Place
from medfund.lanes.capability import known_after
from medfund.lanes.draft import Draft, Known

HOSPITAL, SUPPLIER, AREA = "H15250200017", "91370000MA0000001T", "152500"
FIRST, SECOND, STRANGE = "XA10BBA012A001010100483", "C0201010010100100001", "XA10ABG047B002010104021"
BLUE, OTHER, RED = "26372000000012345678", "26372000000012345679", "26372000000012399001"
STATEMENT = Name(HOSPITAL, SUPPLIER, "DZ-1")


class Purchases:
    """The rules of one lane with everything in memory."""

    def __init__(self) -> None:
        self.draft = Draft(Known())
        self.told: list[Event] = []
        self.offset = 0

    def hear(self, type: str, **data: Any) -> None:
        kind = KINDS[f"{type}.v1"]
        content = {**kind.example, **data}
        told = {name: value for name, value in content.items() if name in kind.event.__struct_fields__}
        self.take(msgspec.convert(told, kind.event))

    def take(self, event: Event) -> None:
        self.offset += 1
        place = Place(topic="purchases", lane=0, offset=self.offset)
        for learn in DirectPay.learns.get(type(event), ()):
            learn(self.draft, event, place)
        self.draft.known = known_after(DirectPay.keeps, self.draft.known, event)
        for answer in DirectPay.answers.get(type(event), ()):
            for decision in answer(self.draft, event, place):
                self.evolve(decision)
                self.told.append(decision)

    def evolve(self, decision: Event) -> None:
        for evolve in DirectPay.evolves.get(type(decision), ()):
            evolve(self.draft, decision)

    def day(self, day: str) -> None:
        self.draft[LOOKED_AT].update(self.draft[STATEMENTS])
        self.hear("day.opened", date=datetime.date.fromisoformat(day))

    def of(self, *types: str) -> list[Any]:
        return [one for one in self.told if isinstance(one, tuple(KINDS[f"{type}.v1"].event for type in types))]


def set_up() -> Purchases:
    made = Purchases()
    made.hear("policy.published", area=AREA, valid_from="2025-01-01", parameters={})
    made.hear("direct.mandate.changed", provider=HOSPITAL, ownership="PUBLIC", valid_from="2025-01-01", valid_to=None)
    made.hear("split.key.published", provider=HOSPITAL, valid_from="2025-01-01", weights={"310100": 7, "390100": 2})
    for product, price in ((FIRST, "3.30"), (SECOND, "1005.01"), (STRANGE, "7.77")):
        made.hear("product.priced", product=product, price=price, valid_from="2025-01-01", valid_to=None)
    made.hear("contract.signed", supplier=SUPPLIER, products=[FIRST, SECOND], valid_from="2025-01-01")
    return made


def chain() -> list[tuple[str, dict[str, Any]]]:
    """Three lines are ordered: one comes in two deliveries, of which some goes back; one has no contract."""
    of = {"provider": HOSPITAL, "area": AREA, "supplier": SUPPLIER}
    order = {**of, "order_no": "CG-1"}

    def lines(*some: tuple[Any, ...], **names: Any) -> list[dict[str, Any]]:
        return [dict(zip(names["called"], one, strict=True)) for one in some]

    placed = lines((1, FIRST, 300, "3.30"), (2, SECOND, 4, "1005.01"), (3, STRANGE, 9, "7.77"),
                   called=("line", "product", "quantity", "price"))  # fmt: skip
    sent = ("line", "product", "quantity", "lot")
    taken = ("line", "accepted", "refused", "reason", "lot")
    billed = ("order_no", "line", "product", "quantity", "price", "amount")
    return [
        ("order.placed", {**order, "placed_on": "2026-08-20", "lines": placed}),
        ("order.cancelled", {**order, "lines": lines((1, 50), called=("line", "quantity"))}),
        ("shipment.dispatched", {**order, "lines": lines((1, FIRST, 200, "A"), (2, SECOND, 4, "B"), called=sent)}),
        ("shipment.dispatched", {**order, "lines": lines((1, FIRST, 50, "C"), (3, STRANGE, 9, "D"), called=sent)}),
        ("delivery.accepted", {**order, "accepted_on": "2026-09-07",
         "lines": lines((1, 200, 0, None, "A"), (2, 3, 1, "DAMAGED", "B"), called=taken)}),
        ("delivery.accepted", {**order, "accepted_on": "2026-09-18",
         "lines": lines((1, 50, 0, None, "C"), (3, 9, 0, None, "D"), called=taken)}),
        ("goods.returned", {**order, "lines": lines((1, 10, "C"), called=("line", "quantity", "lot"))}),
        ("invoice.registered", {**of, "invoice": BLUE, "issued_on": "2026-09-08", "amount": "3675.03", "upstream": None,
         "lines": lines(("CG-1", 1, FIRST, 200, "3.30", "660.00"), ("CG-1", 2, SECOND, 3, "1005.01", "3015.03"),
                        called=billed)}),
        ("invoice.registered", {**of, "invoice": OTHER, "issued_on": "2026-09-19", "amount": "234.93", "upstream": None,
         "lines": lines(("CG-1", 1, FIRST, 50, "3.30", "165.00"), ("CG-1", 3, STRANGE, 9, "7.77", "69.93"),
                        called=billed)}),
        ("invoice.red_issued", {**of, "invoice": RED, "blue": OTHER, "issued_on": "2026-09-22", "amount": "33.00"}),
        ("statement.submitted", {**of, "statement_ref": "DZ-1", "submitted_on": "2026-10-03", "total": "3909.96",
         "lines": lines((BLUE, "3675.03"), (OTHER, "234.93"), called=("invoice", "amount"))}),
        ("statement.confirmed", {**of, "statement_ref": "DZ-1", "confirmed_on": "2026-10-05"}),
        ("statement.line.disputed", {**of, "statement_ref": "DZ-1", "invoice": BLUE, "order_no": "CG-1", "line": 2,
         "disputed_on": "2026-10-04"}),
        ("statement.line.resolved", {**of, "statement_ref": "DZ-1", "invoice": BLUE, "order_no": "CG-1", "line": 2,
         "resolved_on": "2026-10-09"}),
    ]  # fmt: skip


FACTS = chain()


def outcome(order: Iterable[int]) -> tuple[Any, ...]:
    made = set_up()
    for place in order:
        made.hear(FACTS[place][0], **FACTS[place][1])
    made.day("2026-10-10")
    statement = made.draft[STATEMENTS][STATEMENT]
    found = requesting.payable(made.draft, STATEMENT, statement)
    amount = money.yuan(sum(one.fen for one in found))
    agreed = {"supplier": SUPPLIER, "statement_ref": "DZ-1", "amount": amount}
    made.hear("statements.agreed", provider=HOSPITAL, area=AREA, statements=[agreed], agreed_on="2026-10-12")
    [requested] = made.of("statement.requested")
    order_ = made.draft[ORDERS][STATEMENT._replace(ref="CG-1")]
    assert order_.memo is not None
    return (
        [(line.invoice, line.amount, str(line.due), str(line.accepted)) for line in requested.lines],
        requested.amounts,
        {fault.key for fault in statement.faults if fault.until is None},
        order_.memo.left,
        {ref: made.draft[INVOICES][STATEMENT._replace(ref=ref)].taken_back for ref in (BLUE, OTHER)},
        [one.detail for one in made.of("statement.withheld", "invoice.red.unmatched", "statement.refused")],
    )


IN_ORDER = (
    [(BLUE, "3675.03", "2026-09-30", "2026-09-07"), (OTHER, "132.00", "2026-09-30", "2026-09-18")],
    {"310100": "2961.03", "390100": "846.00"},
    {(OTHER, "CG-1", 3, "CONTRACT")},
    {"310100": 781_67, "390100": 223_34},
    {BLUE: 0, OTHER: 33_00},
    [],
)


def test_in_the_usual_order() -> None:
    assert outcome(range(len(FACTS))) == IN_ORDER


@settings(max_examples=150, deadline=None)
@given(st.permutations(range(len(FACTS))))
@example([*reversed(range(len(FACTS)))])
def test_in_any_order_the_same_is_paid_and_the_same_is_in_dispute(order: list[int]) -> None:
    """What was in dispute as long as its papers were missing is due as many days later, a week at most."""
    lines, *rest = outcome(order)
    assert [(invoice, amount, accepted) for invoice, amount, _, accepted in lines] == [
        (invoice, amount, accepted) for invoice, amount, _, accepted in IN_ORDER[0]
    ]
    assert {due for _, _, due, _ in lines} <= {
        "2026-09-30",
        "2026-10-09",
        "2026-10-10",
        "2026-10-12",
        "2026-10-13",
        "2026-10-14",
    }
    assert tuple(rest) == IN_ORDER[1:]
