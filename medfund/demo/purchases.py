"""Purchases: a city's year of what hospitals buy, paid to suppliers by the fund 27 days after acceptance and taken from
what the hospitals earn; then one hospital and one supplier with the numbers of the rules (domain.md R3.3 to R3.7).

What stays true: it plays on a stack of its own, for a day that was opened is never opened again.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from medfund import codes, money
from medfund.city import model, papers, profiles, purchases
from medfund.city.papers import Delivery, Goods, Item, Pair
from medfund.city.purchases import Expected
from medfund.demo.api import Api
from medfund.demo.door import Door
from medfund.demo.stage import Failed, Stage
from medfund.demo.tables import grouped, table
from medfund.demo.world import Fens, World
from medfund.events.envelope import Envelope

SEED, YEAR = 57, 2025
SIZE = profiles.Purchases(hospitals=4, suppliers=5, products=30, statements=12, invoices=48, lines=240, line_fen=80_000)
"""A whole year, of a few hospitals: so much of it is told in a minute."""
FUNDS = EMPLOYEES, RESIDENTS = "310100", "390100"
IN_EACH = 10_000_000_000
BEGINS = date(2025, 1, 2)
EARNED = 2
"""A hospital earns so many times what was paid for it, in each fund."""

ACCEPTED, LATER = date(2026, 9, 6), date(2026, 9, 18)
AGREED, PAID = date(2026, 9, 29), date(2026, 9, 30)
TAKEN = date(2026, 10, 8)
AGREED_LATER, PAID_LATER, OVER = date(2026, 10, 14), date(2026, 10, 15), date(2026, 10, 16)
CLAIMED = {EMPLOYEES: 11_111_111, RESIDENTS: 10_000_000}
"""Of which nine tenths are paid at once: 100,000.00 by the employees' fund."""
CLAIMED_LATER = {EMPLOYEES: 10_000_000, RESIDENTS: 1_500_000}
TABLETS = Goods("XA10BBA012A001010100483", "BULK", 12_000_000, "12.00")
INSULIN = Goods("XA10ABG047B002010104021", "BULK", 7_613_150, "7.61315")
TOO_DEAR = TABLETS._replace(price=12_010_000, written="12.01")
"""Than the contract has them."""
ORDER, NEXT_ORDER, LAST_ORDER = "CG202608240001", "CG202610080001", "CG202610080002"
FIRST, SECOND, THIRD = "DZ202609", "DZ202609-2", "DZ202610-2"


def play(stage: Stage) -> None:
    """Show a year of purchases, and check every step."""
    Purchases(stage).play()


class Purchases:
    """One play of the chapter."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        profile = msgspec.structs.replace(profiles.WEIHAI, purchases=SIZE)
        city = model.City(profile, SEED)
        self.bought = purchases.Purchases(city, YEAR)
        self.area = profile.area
        self.world = World(self.area)
        hospitals = [one.code for one in city.providers if one.code.startswith("H")]
        body = f"91{self.area}MB0000001"
        self.pair = Pair(self.area, hospitals[SIZE.hospitals], body + codes.uscc_check(body))
        self.clearing: Api
        self.direct: Api
        self.books: Api
        self.door: Door
        self.first: Sequence[Delivery]
        self.second: Delivery
        self.third: Sequence[Delivery]
        self.published = 0
        self.audits: list[tuple[str, str, date]] = []
        """Batches whose audit is still to end."""

    def play(self) -> None:
        stage = self.stage
        stage.heading("Purchases: suppliers are paid on hospitals' behalf, within 27 days")
        stage.open_anew()
        stage.area = self.area
        self.clearing, self.books = stage.api("finance", service="clearing"), stage.api("finance")
        self.direct = stage.api("finance", service="direct_pay")
        self._begin()
        self._year()
        self._cycle()
        self._example()
        self._proof()
        self.door.close()

    # -- a year

    def _begin(self) -> None:
        """Who and what there is before the first order; and old arrears."""
        self.door = Door(self.stage, self.world, dict.fromkeys(FUNDS, IN_EACH), BEGINS)
        hospitals = [one.code for one in self.bought.hospitals]
        self.door.begin([*hospitals, *self.bought.suppliers, self.pair.provider, self.pair.supplier])
        self._say(self.bought.master())
        self._sent()

    def _year(self) -> None:
        """Every pay day: what was said until the day before is planned, agreed to and, when the day opens, paid."""
        days, waiting = sorted(dict(self.bought.by_day()).items()), 0
        self.stage.say(
            f"{len(self.bought.expected)} statements of {SIZE.hospitals} hospitals: {SIZE.lines} order lines, "
            f"{SIZE.invoices} invoices, from order to payment, month by month ..."
        )
        by_day: defaultdict[date, list[Expected]] = defaultdict(list)
        for one in self.bought.expected:
            by_day[one.paid_on].append(one)
        for on, due in sorted(by_day.items()):
            while waiting < len(days) and days[waiting][0] <= due[0].agreed_on:
                self._say(days[waiting][1])
                waiting += 1
            self._pay_day(on, due)
        for _, told in days[waiting:]:
            self._say(told)
        self._sent()

    def _pay_day(self, on: date, due: Sequence[Expected]) -> None:
        agreed_on, until = due[0].agreed_on, max(one.due for one in due)
        earns = self._settled(on, due)
        self.world.open_days(agreed_on, agreed_on)
        self._sent()
        self._agreed_to(f"JS-{self.area}-{agreed_on:%Y%m%d}", sum(one.amount for one in due), until)
        for batch, provider, day in self.audits:
            self.world.finish_audit([batch], provider, on, {}, year=day.year)
        self.audits = []
        for batch, provider, day in earns:
            self.world.submit(batch, provider, day, day, on, mode="DAY")
            self.audits.append((batch, provider, day))
        self.world.open_days(on, on)
        self._sent()
        self.door.pay(on)

    def _settled(self, on: date, due: Sequence[Expected]) -> list[tuple[str, str, date]]:
        """What the hospitals earn of care meanwhile, from which it is taken: batch, hospital, day."""
        day = on - timedelta(days=20)
        amounts: defaultdict[str, int] = defaultdict(int)
        for one in due:
            amounts[one.pair.provider] += one.amount
        for provider, fen in amounts.items():
            self.world.settle(provider, day, dict.fromkeys(FUNDS, EARNED * fen))
        return [(f"{day:%Y%m%d}-{provider}", provider, day) for provider in sorted(amounts)]

    def _agreed_to(self, plan: str, fen: int, until: date) -> Mapping[str, Any]:
        """Planned by one, approved by two others; then it is owed to the suppliers (2105)."""
        asked = {"plan": plan, "area": self.area, "due_until": f"{until}"}
        made = self.direct.post("/v1/statement-plans", **asked)
        if made["total"] != money.yuan(fen):
            raise Failed(f"plan {plan} comes to {made['total']}, and not to {money.yuan(fen)}")
        for person in self.door.people("direct_pay"):
            person.post(f"/v1/statement-plans/{self.area}/{plan}/approvals", hash=made["hash"])
        self.door.until(lambda: -sum(self._balances("2105").values()) == fen, f"{plan} is taken over")
        return dict(made)

    def _cycle(self) -> None:
        """What the service has counted, and what the city knows of its own papers."""
        stage, (fen_days, fen) = self.stage, self.bought.cycle
        self.door.until(lambda: self._counted()["paid"] == money.yuan(fen), "all payments are counted")
        told = self._counted()
        shown = table("paid in", ">yuan", ">days")
        for row in told["rows"]:
            shown.add_row(row["month"], grouped(row["paid"]), row["days"])
        shown.add_row("", grouped(told["paid"]), told["days"], style="bold")
        stage.show(shown)
        exact = Fraction(fen_days, fen)
        stage.say(f"Money-weighted, from acceptance to payment: {fen_days:,} fen-days / {fen:,} fen.")
        stage.check(
            f"the cycle of the year is {told['days']} days, as the city's own papers have it",
            told["days"] == money.yuan(money.round2(exact * 100)) == "27.00",
        )
        stage.check("it counts what was paid, and no arrears", told["paid"] == money.yuan(fen))
        arrears = self.direct.get("/v1/arrears", area=self.area, limit=1000)
        stage.check(
            f"7,748,700.00 of arrears, in {len(arrears['arrears'])} items, are registered and cleared outside it",
            (arrears["registered"], arrears["left"]) == ("7748700.00", "0.00"),
        )
        self._becomes("and were memo entries (9003) alone", partial(self._turnover, "9003"), (purchases.ARREARS,) * 2)

    def _counted(self) -> Any:
        return self.direct.get("/v1/supplier-cycle", area=self.area, by="month", month_to=f"{YEAR}-12")

    # -- one hospital, one supplier

    def _example(self) -> None:
        stage = self.stage
        stage.heading(f"One statement, to the fen: {FIRST} of {self.pair.supplier} for {self.pair.provider}")
        self._papers()
        self._first()
        self._taken_back()
        self._red_letter()
        self._second()

    def _papers(self) -> None:
        """Ordered, delivered, invoiced; a red letter comes before the statement does."""
        world, pair, on = self.world, self.pair, date(2026, 8, 24)
        self._in_force()
        whole = self._delivery(1, ACCEPTED, all_of(1, TABLETS, 10_000))
        blue = self._delivery(2, ACCEPTED, all_of(2, INSULIN, 6_000))
        blue = blue._replace(red="26372000009000000002", taken_back=321_000)
        self.first = whole, blue
        self.second = self._delivery(3, LATER, all_of(3, TABLETS, 4_000))
        self._delivered(on, [*self.first, self.second])
        self._say([papers.red_letter(pair, blue, date(2026, 9, 10))])
        world.settle(pair.provider, date(2026, 8, 31), CLAIMED)
        world.settle(pair.provider, date(2026, 9, 24), CLAIMED_LATER)
        world.open_days(AGREED, AGREED)
        self._sent()

    def _in_force(self) -> None:
        pair, since = self.pair, date(2026, 1, 1)
        office, platform = f"/agency/{self.area}", pair.platform
        dated = {"area": self.area, "valid_from": f"{since}"}
        supplier = {
            "name": "示例医药（威海）有限公司",
            "bank_account_ref": f"acct-{pair.supplier}",
            "account_ends": "0001",
        }
        goods = (TABLETS, INSULIN)
        say = self.world.say
        say("supplier.registered", "seller", since, {**dated, "supplier": pair.supplier, **supplier}, source=office)
        for one in goods:
            priced = {**dated, "product": one.code, "product_class": one.product_class, "price": one.written}
            say("product.priced", one.code, since, priced, source=platform)
        contract = {"contract_ref": "JC-2026-9001", "supplier": pair.supplier, "products": [one.code for one in goods],
                    "valid_to": "2026-12-31"}  # fmt: skip
        say("contract.signed", "contract", since, {**dated, **contract}, source=platform)
        mandate = {"provider": pair.provider, "ownership": "PUBLIC", "document": "5a" * 32}
        say("direct.mandate.changed", "direct-mandate", since, {**dated, **mandate}, source=office)
        key = {"provider": pair.provider, "version": "2026-08", "weights": purchases.SHARES}
        say("split.key.published", "key", since, {**dated, **key}, source=office)

    def _delivery(self, number: int, on: date, item: Item, order_no: str = ORDER) -> Delivery:
        name, invoice = f"PS202609{number:010d}", f"26372000000000{number:06d}"
        return Delivery(name, order_no, f"L{on:%y%m}-01", on, invoice, [item], item.amount)

    def _delivered(self, ordered_on: date, deliveries: Sequence[Delivery]) -> None:
        """What is said of an order, up to its invoices."""
        items = [item for one in deliveries for item in one.items]
        self._say([papers.order(self.pair, deliveries[0].order_no, ordered_on, items)])
        for one in deliveries:
            before = one.accepted_on - timedelta(days=1)
            self._say([papers.shipment(self.pair, one, before), papers.acceptance(self.pair, one),
                       papers.invoice(self.pair, one, one.accepted_on)])  # fmt: skip

    def _submitted(self, ref: str, deliveries: Sequence[Delivery]) -> Any:
        """By the supplier; what the service made of it."""
        pair, month = self.pair, deliveries[0].accepted_on.replace(day=1)
        seller = self.stage.api("supplier", service="direct_pay", organisations=[pair.supplier])
        listed = [{"invoice": one.invoice, "amount": money.yuan(one.amount)} for one in deliveries]
        listed += [{"invoice": one.red, "amount": money.yuan(-one.taken_back)} for one in deliveries if one.red]
        outcome = seller.command(
            "/v1/statements", statement=ref, provider=pair.provider, area=self.area, period=f"{month}",
            total=money.yuan(sum(one.left for one in deliveries)), invoices=listed,
        )  # fmt: skip
        return outcome["decisions"][0]["data"]

    def _confirmed(self, ref: str) -> None:
        """By somebody of the hospital."""
        buyer = self.stage.api("provider", service="direct_pay", organisations=[self.pair.provider])
        buyer.command("/v1/statement-confirmations", statement=ref, supplier=self.pair.supplier)

    def _first(self) -> None:
        check = self.stage.check
        told = self._submitted(FIRST, self.first)
        self._confirmed(FIRST)
        check("what was accepted on 2026-09-06 is to be paid by 2026-09-30", told["due"] == "2026-09-30")
        plan = self._agreed_to(f"JS-{FIRST}", 16_246_890, PAID)
        [line] = plan["lines"]
        parts = {one["fund"]: one["amount"] for one in line["amounts"]}
        self._split(parts)
        check("120,000.00 + 45,678.90 - 3,210.00 are 162,468.90", plan["total"] == "162468.90")
        check("split into 111,079.99 and 51,388.91", parts == {EMPLOYEES: "111079.99", RESIDENTS: "51388.91"})
        self.world.submit("20260831-R", self.pair.provider, date(2026, 8, 31), date(2026, 8, 31), PAID, mode="DAY")
        self.world.open_days(PAID, PAID)
        self._sent()
        self.door.pay(PAID)

    def _split(self, parts: Mapping[str, str]) -> None:
        shown = table("invoice", "accepted", ">yuan", ">red letter", ">left")
        for one in self.first:
            amounts = (one.amount, -one.taken_back, one.left)
            shown.add_row(one.invoice, f"{one.accepted_on}", *(grouped(money.yuan(fen)) for fen in amounts))
        self.stage.show(shown)
        self.stage.say(", ".join(f"{fund} {grouped(amount)}" for fund, amount in parts.items()))

    def _taken_back(self) -> None:
        """On the next working day a part of the hospital's claim is paid at once, less what was paid for it."""
        self.world.open_days(TAKEN, TAKEN)
        self._sent()
        claim = self.clearing.get(f"/v1/claims/{self.pair.provider}/20260831-R")
        taken = sum(money.fen(one["total"]) for one in claim["offsets"] if one["account"] == "1103")
        self.stage.check("100,000.00 and 51,388.91 are taken from what it is paid at once", taken == 15_138_891)
        self._becomes("11,079.99 stay for its next claim, in their fund", self._owed, {EMPLOYEES: 1_107_999})
        self.door.pay(TAKEN)

    def _red_letter(self) -> None:
        """After payment: what is not given back yet is hit first, and the hospital gets back the rest."""
        late = self.first[1]._replace(red="26372000009000000003", taken_back=321_000)
        self._say([papers.red_letter(self.pair, late, date(2026, 10, 9))])
        self._sent()
        self._becomes("a red letter after payment is -2,194.68 and -1,015.32, owed by the supplier (1109)",
                      partial(self._balances, "1109"), {EMPLOYEES: 219_468, RESIDENTS: 101_532})  # fmt: skip
        self._becomes("before it was taken back: the hospital owes 8,885.31", self._owed, {EMPLOYEES: 888_531})
        gives_back = partial(self._balances, "2102", party=self.pair.provider)
        self._becomes("after: the hospital is owed 1,015.32", gives_back, {RESIDENTS: -101_532})

    def _second(self) -> None:
        """The next statement of the same two: less what the supplier owes."""
        check, world = self.stage.check, self.world
        self._to_be_stated()
        world.open_days(AGREED_LATER, AGREED_LATER)
        self._sent()
        told = self._submitted(SECOND, [self.second])
        self._confirmed(SECOND)
        check("what was accepted on 2026-09-18 is to be paid by 2026-10-16", told["due"] == "2026-10-16")
        self._agreed_to(f"JS-{SECOND}", self.second.amount, OVER)
        world.submit("20260924-R", self.pair.provider, date(2026, 9, 24), date(2026, 9, 24), PAID_LATER, mode="DAY")
        world.open_days(PAID_LATER, PAID_LATER)
        self._sent()
        sent = [one for one in self.door.pay(PAID_LATER) if one["purpose"] == "SUPPLIER"]
        paid = sum(money.fen(one["total"]) for one in sent)
        check("48,000.00 less 3,210.00 that the supplier owes: 44,790.00 are paid", paid == 4_479_000)
        self._becomes("the supplier owes nothing any more", partial(self._balances, "1109"), {})
        self._becomes("on 2026-10-15, 27 days after acceptance", self._days_later, "27.00")
        world.open_days(OVER, OVER)
        self._sent()
        self.door.pay(OVER)
        # The 1,015.32 that the residents' fund owed the hospital were paid on one day with the supplier's 15,182.40, of
        # which it takes 13,500.00 of the claim.
        self._becomes("the next claim is taken; 1,682.40 stay", self._owed, {RESIDENTS: 168_240})
        disputes = self._submitted(THIRD, self.third)["disputes"]
        check("an invoice that is one fen a tablet too dear is in dispute, and the other one goes on",
              [one["detail"] for one in disputes] == ["12.01 > 12.00"])  # fmt: skip

    def _to_be_stated(self) -> None:
        """Of each two invoices one is too dear: two are for a reader to submit, and two to be confirmed."""
        ordered_on, on = date(2026, 10, 8), date(2026, 10, 12)
        self._delivered(ordered_on, [self._delivery(4, on, all_of(1, TABLETS, 1_000), NEXT_ORDER),
                                     self._delivery(5, on, all_of(2, TOO_DEAR, 500), NEXT_ORDER)])  # fmt: skip
        self.third = [self._delivery(6, on, all_of(1, INSULIN, 2_000), LAST_ORDER),
                      self._delivery(7, on, all_of(2, TOO_DEAR, 200), LAST_ORDER)]  # fmt: skip
        self._delivered(ordered_on, self.third)

    def _days_later(self) -> str | None:
        told = self.direct.get("/v1/supplier-cycle", supplier=self.pair.supplier, by="month", month_from="2026-10")
        return str(told["days"])

    # -- the books

    def _proof(self) -> None:
        stage = self.stage
        stage.heading("The books")
        for book in ("OPS", "STAT"):
            answer = self.books.get("/v1/trial-balance", area=self.area, book=book)
            stage.check(f"every fund of the area balances to 0.00 ({book})", answer["balanced"])
        shown = table("account", *(f">{fund}" for fund in FUNDS))
        for account in ("1103", "1109", "2105"):
            found = self._balances(account)
            shown.add_row(account, *(grouped(money.yuan(found.get(fund, 0))) for fund in FUNDS))
        stage.show(shown)
        stage.check("what was paid in the year is given back whole: 1,682.40 are all that hospitals owe (1103)",
                    self._balances("1103") == {RESIDENTS: 168_240})  # fmt: skip
        asked = {(one.asked, one.paid) for one in self.door.bank.payments.values()}
        stage.check(f"the bank was asked for {len(self.door.bank.payments)} payments, each once, and paid each once",
                    asked == {(1, 1)})  # fmt: skip
        holds, report = stage.verify()
        for problem in report["problems"]:
            stage.copyable(problem)
        stage.check(
            f"the books are proved: 1103, 1109 and 2105 are the service's open items, of {report['open_items']}", holds
        )

    def _becomes(self, claim: str, found: Callable[[], Any], wanted: Any) -> None:
        """The books come a moment after the decisions."""
        self.door.until(lambda: found() == wanted, claim)
        self.stage.check(claim, found() == wanted)

    def _owed(self) -> Fens:
        """By the hospital, of what was paid for it."""
        return self._balances("1103", party=self.pair.provider)

    def _balances(self, account: str, party: str | None = None) -> dict[str, int]:
        """Fund -> fen, debit less credit; without those that are zero."""
        found: defaultdict[str, int] = defaultdict(int)
        for row in self.books.pages("/v1/balances", "balances", area=self.area, account=account, party=party):
            found[row["fund"]] += money.fen(row["balance"])
        return {fund: fen for fund, fen in sorted(found.items()) if fen}

    def _turnover(self, account: str) -> tuple[int, int]:
        rows = self.books.get("/v1/turnover", area=self.area, account=account)["rows"]
        debit, credit = (sum(money.fen(row[side]) for row in rows) for side in ("debit", "credit"))
        return debit, credit

    # -- said

    def _say(self, told: Iterable[Envelope]) -> None:
        self.world.lines += map(papers.line, told)

    def _sent(self) -> None:
        """Publish what was said, and wait until both deciding services have taken it."""
        said = self.world.taken()
        if not said:
            return
        self.published += 1
        file = Path(self.stage.data) / f"purchases-{self.published:02d}.jsonl"
        file.write_bytes(b"".join(said))
        positions = self.stage.publish(file)["positions"]
        self.stage.booked(positions, api=self.direct, path="/v1/statements")
        self.stage.booked(positions, api=self.clearing, path="/v1/claims")


def all_of(line: int, goods: Goods, quantity: int) -> Item:
    return Item(line, goods, quantity, quantity, quantity)
