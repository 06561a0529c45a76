"""A year of purchases: every paper matches the one before it, and the money is paid 27 days after acceptance."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from medfund import calendar, money
from medfund.city import command, model, papers, profiles, purchases
from medfund.events.envelope import Envelope
from medfund.events.kinds import KINDS
from medfund.events.speakers import OURS, Speaker, said_by
from medfund.local import trial
from medfund.publish import drafts

NOW_MS = 1_790_000_000_000
SCALE = "0.01"
WORKED = calendar.shipped()

app = typer.Typer()
app.command()(command.city)


def a_year(scale: str = SCALE, *, seed: int = 1, year: int = 2025) -> tuple[purchases.Purchases, list[Envelope]]:
    bought = purchases.Purchases(model.City(profiles.WEIHAI.scaled(scale), seed), year)
    return bought, list(bought.events())


def data(events: Iterable[Envelope], type: str) -> list[dict[str, Any]]:
    return [msgspec.json.decode(event.data) for event in events if event.type == f"{type}.v1"]


def test_a_city_of_its_size_buys_as_much_as_is_known_of_one() -> None:
    size = profiles.WEIHAI.purchases
    assert size is not None
    assert (size.lines, size.invoices, size.statements) == (422_000, 113_000, 64_800)


def test_counts_are_the_profiles() -> None:
    _, events = a_year()
    counts = Counter(event.type.removesuffix(".v1") for event in events)
    assert counts["statement.submitted"] == counts["statement.confirmed"] == counts["order.placed"] == 648
    assert counts["invoice.registered"] == counts["delivery.accepted"] == counts["shipment.dispatched"] == 1130
    assert sum(len(order["lines"]) for order in data(events, "order.placed")) == 4220
    assert (counts["supplier.registered"], counts["product.priced"], counts["contract.signed"]) == (60, 800, 60)
    assert counts["direct.mandate.changed"] == counts["split.key.published"] == 108


@pytest.mark.parametrize("year", [2024, 2025])
def test_every_event_passes_the_contract_under_an_id_of_its_own(year: int) -> None:
    bought, events = a_year(year=year)
    events += [event for one in bought.expected[:20] for event in bought.agreements(one.agreed_on)]
    assert [problem for event in events if (problem := drafts.check(papers.line(event), now_ms=NOW_MS))] == []
    written = {event.id: event for event in events}
    assert all(written[event.id] == event for event in events)


def test_every_event_is_said_by_who_may_say_it_on_a_stack_for_trying_things_out() -> None:
    speaks = {told.source: {Speaker(name) for name in told.speakers} for told in trial.registry()}
    speaks |= {source: {speaker} for source, speaker in OURS.items()}
    bought, events = a_year("0.001")
    events += bought.agreements(bought.expected[0].agreed_on)
    assert {event.type for event in events if not speaks[event.source] & said_by(KINDS[event.type])} == set()
    assert {told.areas[0] for told in trial.registry() if told.areas} >= {"371000"}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    def digest(seed: int) -> str:
        return hashlib.sha256(b"".join(map(papers.line, a_year(seed=seed)[1]))).hexdigest()

    assert digest(1) == digest(1) != digest(2)


def test_a_year_that_is_told_twice_is_the_same_year() -> None:
    bought, events = a_year("0.001")
    assert list(bought.events()) == events
    assert len(bought.expected) == 65


def test_what_is_invoiced_was_accepted_what_was_accepted_was_sent_and_what_was_sent_was_ordered() -> None:
    _, events = a_year()
    ordered: dict[tuple[str, str, int], dict[str, Any]] = {}
    for order in data(events, "order.placed"):
        ordered |= {(order["provider"], order["order_no"], line["line"]): line for line in order["lines"]}
    left = {place: line["quantity"] for place, line in ordered.items()}
    for order in data(events, "order.cancelled"):
        for line in order["lines"]:
            left[order["provider"], order["order_no"], line["line"]] -= line["quantity"]
    sent: Counter[Any] = Counter()
    accepted: Counter[Any] = Counter()
    for one in data(events, "shipment.dispatched"):
        sent.update({(one["provider"], one["order_no"], line["line"]): line["quantity"] for line in one["lines"]})
    for one in data(events, "delivery.accepted"):
        for line in one["lines"]:
            accepted[one["provider"], one["order_no"], line["line"]] += line["accepted"]
            assert line["accepted"] + line.get("refused", 0) == sent[one["provider"], one["order_no"], line["line"]]
    assert sent == left
    assert sum(accepted.values()) < sum(sent.values()) < sum(line["quantity"] for line in ordered.values())
    for one in data(events, "invoice.registered"):
        for line in one["lines"]:
            place = one["provider"], line["order_no"], line["line"]
            assert (line["quantity"], line["product"], line["price"]) == (
                accepted[place], ordered[place]["product"], ordered[place]["price"],
            )  # fmt: skip
            exact = Fraction(line["price"]) * line["quantity"] * 100
            assert money.fen(line["amount"]) == money.round2(exact)


def test_every_product_is_delivered_by_the_supplier_of_its_contract_at_its_price() -> None:
    _, events = a_year()
    delivers = {product: one["supplier"] for one in data(events, "contract.signed") for product in one["products"]}
    costs = {one["product"]: one["price"] for one in data(events, "product.priced")}
    assert len(delivers) == len(costs) == 800
    for order in data(events, "order.placed"):
        for line in order["lines"]:
            assert (delivers[line["product"]], costs[line["product"]]) == (order["supplier"], line["price"])


def test_a_statement_lists_each_invoice_of_its_month_once_with_its_red_letters() -> None:
    bought, events = a_year("0.05")
    invoices = {one["invoice"]: money.fen(one["amount"]) for one in data(events, "invoice.registered")}
    reds = {one["invoice"]: -money.fen(one["amount"]) for one in data(events, "invoice.red_issued")}
    listed = [line for one in data(events, "statement.submitted") for line in one["lines"]]
    assert {line["invoice"]: money.fen(line["amount"]) for line in listed} == invoices | reds
    assert len(listed) == len(invoices) + len(reds)
    assert 40 < len(reds) < 75
    assert sum(one.amount for one in bought.expected) == sum(invoices.values()) + sum(reds.values())


@pytest.mark.parametrize(
    ("scale", "seed", "year"), [("0.001", 1, 2025), ("0.01", 1, 2025), ("0.01", 2, 2025), ("0.05", 7, 2024)]
)
def test_money_is_paid_27_calendar_days_after_acceptance(scale: str, seed: int, year: int) -> None:
    """Found again from the papers alone: who was accepted when, and when the statement is to be paid."""
    bought, events = a_year(scale, seed=seed, year=year)
    accepted = {one["shipment_no"]: date.fromisoformat(one["accepted_on"]) for one in data(events, "delivery.accepted")}
    by_order: defaultdict[tuple[str, str], list[date]] = defaultdict(list)
    for one in data(events, "delivery.accepted"):
        by_order[one["provider"], one["order_no"]].append(accepted[one["shipment_no"]])
    on = {one["invoice"]: date.fromisoformat(one["issued_on"]) for one in data(events, "invoice.registered")}
    on |= {one["invoice"]: on[one["blue"]] for one in data(events, "invoice.red_issued")}
    paid = {(one.pair.provider, one.pair.supplier, one.ref): one.paid_on for one in bought.expected}
    fen_days = fen = 0
    for one in data(events, "statement.submitted"):
        paid_on = paid[one["provider"], one["supplier"], one["statement_ref"]]
        for line in one["lines"]:
            fen += money.fen(line["amount"])
            fen_days += money.fen(line["amount"]) * (paid_on - on[line["invoice"]]).days
    assert (fen_days, fen) == bought.cycle
    assert f"{fen_days / fen:.2f}" == "27.00"


def test_every_statement_is_agreed_to_after_it_is_confirmed_and_paid_on_a_working_day_in_time() -> None:
    bought, events = a_year("0.05")
    first: dict[tuple[str, str, str], date] = {}
    for one in data(events, "delivery.accepted"):
        key, on = (one["provider"], one["supplier"], one["order_no"][:8]), date.fromisoformat(one["accepted_on"])
        first[key] = min(on, first.get(key, on))
    for expected in bought.expected:
        pair = expected.pair
        due = first[pair.provider, pair.supplier, f"CG{expected.ref[2:]}"] + timedelta(days=30)
        assert expected.confirmed_on < expected.agreed_on < expected.paid_on <= due
        assert WORKED.is_working_day(expected.agreed_on)
        assert WORKED.is_working_day(expected.paid_on)
        assert expected.paid_on.year == 2025


def test_days_come_in_their_order() -> None:
    bought, _ = a_year()
    days = [day for day, _ in bought.by_day()]
    assert days == sorted(set(days))


def test_old_arrears_are_registered_before_all_and_cleared_in_the_year_to_the_fen() -> None:
    _, events = a_year()
    registered, cleared = data(events, "arrears.registered"), data(events, "arrears.cleared")
    assert sum(money.fen(one["amounts"]["310100"]) for one in registered) == 774_870_000
    assert {one["arrears_ref"]: one["amounts"] for one in registered} == {
        one["arrears_ref"]: one["amounts"] for one in cleared
    }
    assert {one["cleared_on"][:4] for one in cleared} == {"2025"}
    assert all(one["since"] < "2024-10-17" for one in registered)


def test_what_is_agreed_to_on_a_day_is_what_the_statements_come_to() -> None:
    bought, _ = a_year()
    days = {one.agreed_on for one in bought.expected}
    agreed = [msgspec.json.decode(event.data) for day in sorted(days) for event in bought.agreements(day)]
    found = {
        (one["provider"], line["supplier"], line["statement_ref"], line["amount"])
        for one in agreed
        for line in one["statements"]
    }
    assert found == {(one.pair.provider, one.pair.supplier, one.ref, money.yuan(one.amount)) for one in bought.expected}


def test_many_lines_are_ten_an_order_and_five_invoices_a_statement_and_sound() -> None:
    bought, _ = a_year("0.001")
    events = [event for some in bought.many(5_000) for event in some]
    assert [problem for event in events if (problem := drafts.check(papers.line(event), now_ms=NOW_MS))] == []
    assert Counter(event.type for event in events) == {
        "order.placed.v1": 500, "shipment.dispatched.v1": 500, "delivery.accepted.v1": 500,
        "invoice.registered.v1": 1500, "statement.submitted.v1": 300, "statement.confirmed.v1": 300,
    }  # fmt: skip
    assert len({event.id for event in events}) == len(events)
    assert sum(len(one["lines"]) for one in data(events, "order.placed")) == 5_000
    assert {len(one["lines"]) for one in data(events, "statement.submitted")} == {5}
    numbers = [one["invoice"] for one in data(events, "invoice.registered")]
    assert len({*numbers}) == 1500


def test_the_command_writes_the_year_and_says_what_is_in_it() -> None:
    done = CliRunner().invoke(app, ["--profile", "weihai", "--scale", "0.001", "--suppliers", "--json"])
    assert done.exit_code == 0, done.output
    told = msgspec.json.decode(done.stderr)
    assert (told["statements"], told["cycle_days"], told["arrears"]) == (65, "27.00", "7748700.00")
    assert sum(told["lines"].values()) == len(done.stdout.splitlines())


def test_a_city_without_suppliers_says_which_has_some() -> None:
    done = CliRunner().invoke(app, ["--profile", "xilingol", "--suppliers"])
    assert done.exit_code == 2
    assert "xilingol has no suppliers; there are those of weihai" in done.output
