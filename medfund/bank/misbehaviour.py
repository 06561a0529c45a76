"""What a bank can do wrong, each by its name, and for whom: `late`, `rejected:2=AC01`, `returned:H1-P1=AC04`.

Asked for by text, `name[:which][=code]`, several with commas between. Which is the number of a file among those taken,
or of a payment in its file, or an identification; without it all are meant. Nothing here is left to chance.
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from medfund.bank.books import Intent, Plan

ANOTHER_ACCOUNT = "9558800000000000001"


class Unknown(ValueError):
    """No such misbehaviour."""


class Wish(Struct, frozen=True):
    """One misbehaviour that was asked for."""

    name: str
    which: str = ""
    code: str = ""

    def means(self, number: int, identification: str) -> bool:
        return self.which in ("", str(number), identification)


def late(plan: Plan) -> None:
    """The whole file is worked on the day after."""
    plan.days_late = 1


def batch(plan: Plan) -> None:
    """One entry for the whole file, with the payments as its details."""
    plan.one_entry = True


def duplicate(plan: Plan) -> None:
    """The same notification in two files."""
    plan.copies = 2


def repeated(plan: Plan) -> None:
    """The same notification again on the day after."""
    plan.repeated = True


def truncated(plan: Plan) -> None:
    """The notification's second half is missing."""
    plan.spoiled = "truncated"


def wrong_sum(plan: Plan) -> None:
    """The notification's sums are one fen more than its entries."""
    plan.spoiled = "wrong_sum"


def wrong_account(plan: Plan) -> None:
    """The notification is for an account that is not the fund's."""
    plan.told_account = ANOTHER_ACCOUNT


def partial(intent: Intent, code: str) -> None:
    """Accepted today, paid on the day after."""
    intent.later = True


def split(intent: Intent, code: str) -> None:
    """Paid in two entries."""
    half = intent.transfer.amount // 2
    intent.amounts = [part for part in (half, intent.transfer.amount - half) if part]


def paid_twice(intent: Intent, code: str) -> None:
    """Paid twice for real."""
    intent.amounts = [*intent.amounts, *intent.amounts]


def wrong_amount(intent: Intent, code: str) -> None:
    """One fen more is paid than was asked for."""
    intent.amounts = [intent.transfer.amount + 1]


def rejected(intent: Intent, code: str) -> None:
    """Not paid; the report says why."""
    intent.rejected = code or "AC01"


def returned(intent: Intent, code: str) -> None:
    """Paid, and back on the day after."""
    intent.returned = code or "AC04"


OF_FILES: Mapping[str, Callable[[Plan], None]] = {
    act.__name__: act for act in (late, batch, duplicate, repeated, truncated, wrong_sum, wrong_account)
}
OF_PAYMENTS: Mapping[str, Callable[[Intent, str], None]] = {
    act.__name__: act for act in (partial, split, paid_twice, wrong_amount, rejected, returned)
}

NAMES = (*OF_FILES, *OF_PAYMENTS)


def wishes(text: str) -> tuple[Wish, ...]:
    return tuple(_wish(part) for part in text.split(",") if part)


def _wish(text: str) -> Wish:
    rest, _, code = text.partition("=")
    name, _, which = rest.partition(":")
    if name not in NAMES:
        raise Unknown(f"no misbehaviour is named {name}; there are {', '.join(NAMES)}")
    return Wish(name, which, code)


def spoil(plan: Plan, asked: Sequence[Wish]) -> None:
    """Turn an honest plan into the one that was asked for."""
    for wish in asked:
        if (of_file := OF_FILES.get(wish.name)) and wish.means(plan.number, plan.message_id):
            of_file(plan)
        if of_payment := OF_PAYMENTS.get(wish.name):
            for number, intent in enumerate(plan.intents, 1):
                if wish.means(number, intent.transfer.end_to_end_id):
                    of_payment(intent, wish.code)


def cut_off(content: bytes) -> bytes:
    return content[: len(content) // 2]


def one_fen_more(content: bytes) -> bytes:
    """In every sum of the file's summary; whoever adds up finds it."""
    head, _, rest = content.partition(b"<Sum>")
    amount, _, after = rest.partition(b"</Sum>")
    more = int(amount.replace(b".", b"")) + 1
    return b"%b<Sum>%d.%02d</Sum>%b" % (head, more // 100, more % 100, after)


ON_THE_WAY: Mapping[str, Callable[[bytes], bytes]] = {"truncated": cut_off, "wrong_sum": one_fen_more}
"""What happens to a written file, by the word in its letter."""
