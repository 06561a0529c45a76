"""What a deciding service is composed of: parts of a draft, shelves asked in turn, and capabilities that listen."""

from collections.abc import Iterable

import msgspec
import pytest

from medfund.events import codec
from medfund.events.agency import CalendarPublished
from medfund.events.bank import BankPaymentSettled
from medfund.events.codec import Accepted, Refused
from medfund.events.kinds import KINDS, Event, Place
from medfund.events.payments import PaymentOrdered
from medfund.events.refusals import Reason
from medfund.lanes import batch
from medfund.lanes.capability import Capability, changing, keeping
from medfund.lanes.composed import Composed
from medfund.lanes.draft import Draft, Known, Part, Things
from medfund.lanes.shelf import Batch, Name, named
from medfund.lanes.sources import Sources
from tests import events
from tests.simulation.memory_log import MemoryRecord

COUNTED: Part[int] = Part("counted", int)
TOLD: Part[list[str]] = Part("told", list)
THINGS: Part[Things[str, list[str]]] = Part("things", Things)


def accepted(type_: str, family: str, **data: object) -> Accepted:
    message = events.message(type_, id="e-1", **data)
    record = MemoryRecord(f"medfund.{family}", 0, 41, 1_790_000_000_000, message.key, message.value, message.headers)
    verdict = codec.decode(record, family=family, lanes=1)
    assert isinstance(verdict, Accepted), verdict
    return verdict


def test_a_part_begins_when_it_is_asked_for_and_two_of_one_name_are_two() -> None:
    other: Part[list[str]] = Part("told", list)
    draft = Draft(Known())
    draft[TOLD].append("a")
    assert (draft[TOLD], draft[other]) == (["a"], [])
    draft.let_go()
    assert draft[TOLD] == []


def test_what_is_known_is_replaced_and_a_batch_that_is_given_up_has_changed_nothing() -> None:
    before = Known({COUNTED: 7})
    draft = Draft(before)
    draft.known = draft.known.replaced(COUNTED, 8)
    assert (before[COUNTED], draft.known[COUNTED]) == (7, 8)


def test_what_was_put_or_changed_is_written_and_what_is_gone_is_forgotten() -> None:
    things: Things[str, list[str]] = Things()
    things["read"] = []
    things.put("new", [])
    things.change("read").append("x")
    del things["new"]
    assert (things.changed, dict(things)) == ({"new", "read"}, {"read": ["x"]})
    with pytest.raises(KeyError):
        things.change("nothing")


def test_a_batch_is_asked_for_what_its_events_name_and_not_for_what_a_shelf_takes_as_it_comes() -> None:
    settled = accepted("bank.payment.settled.v1", "bank", payment_ref="B-7/P1/310100")
    one = Batch([settled, settled])
    provider = settled.event.provider  # type: ignore[attr-defined]
    assert one.named["payment"] == {Name(provider, "B-7/P1/310100")}
    assert one.named["provider"] == {provider}
    assert (one.of(BankPaymentSettled), one.bulk, one.day) == ([settled.event] * 2, [], False)
    taken = Batch([settled], bulk={BankPaymentSettled})
    assert (taken.bulk, {*map(len, taken.named.values())}) == ([settled], {0})


def test_an_event_about_no_provider_names_nothing_of_anybodys() -> None:
    run = KINDS["payment.run.opened.v1"]
    assert [*named(msgspec.convert(run.example, run.event), "payment")] == []


def refused(draft: Draft, fact: Accepted, sources: Sources) -> Refused:
    return batch.refuse(fact, Reason.WRONG_DAY, "said by the first")


def failing(draft: Draft, fact: Accepted, sources: Sources) -> Refused:
    raise AssertionError("what is refused is asked about no more")


def twice(draft: Draft, event: Event, cause: Place) -> Iterable[Event]:
    """What is decided is true before the next is asked for."""
    for _ in range(2):
        yield msgspec.structs.replace(ORDERED, payment_ref=f"P-{len(draft[TOLD])}", cause=cause)


ORDERED = msgspec.convert(PaymentOrdered.example, PaymentOrdered)


class Trial(Composed):
    name = own = "trial"
    facts = ("bank",)
    capabilities = (
        Capability(
            name="first",
            admits={CalendarPublished: refused},
            keeps={BankPaymentSettled: keeping(COUNTED, lambda count, event: count + 1)},
            answers={BankPaymentSettled: twice},
            evolves={PaymentOrdered: lambda draft, event: draft[TOLD].append(event.payment_ref)},
        ),
        Capability(
            name="second",
            admits={CalendarPublished: failing, BankPaymentSettled: lambda draft, fact, sources: None},
            answers={BankPaymentSettled: twice},
            evolves={PaymentOrdered: changing(THINGS, lambda event: "one")(lambda one, event: one.append(event.due))},
        ),
    )
    shelves = ()


def test_capabilities_are_asked_in_their_order_and_each_decision_is_true_before_the_next() -> None:
    rules, draft = Trial(prefix="medfund"), Draft(Known({COUNTED: 3}))
    draft[THINGS]["one"] = []
    fact = accepted("bank.payment.settled.v1", "bank")
    assert rules.admit(draft, fact, sources=Sources()) is None
    rules.learn(draft, fact)
    decided = []
    for answer in rules.decide(draft, fact):
        decided.append(answer.payment_ref)  # type: ignore[attr-defined]
        rules.evolve(draft, answer)
    assert decided == ["P-0", "P-1", "P-2", "P-3"] == draft[TOLD]
    assert (draft.known[COUNTED], len(draft[THINGS]["one"]), draft[THINGS].changed) == (4, 4, {"one"})


def test_a_fact_is_refused_by_the_first_capability_that_does_not_admit_it() -> None:
    verdict = Trial(prefix="medfund").admit(
        Draft(Known()), accepted("calendar.published.v1", "agency"), sources=Sources()
    )
    assert verdict is not None
    assert verdict.detail == "said by the first"
