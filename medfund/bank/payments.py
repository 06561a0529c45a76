"""What the bank does with a payment file: refuses what it had before or cannot cover, pays the rest, and says so.

Pure, on the books. The reasons are those of the ISO 20022 lists: DUPL for what was there before, AM04 for no cover,
AC02 for an account that is not here, FF01 for a file that cannot be read.
"""

from collections.abc import Sequence

from medfund.bank import misbehaviour
from medfund.bank.books import Books, Intent, Later, Letter, Payment, Plan, party
from medfund.bank.misbehaviour import Wish
from medfund.bankfiles.messages import Detail, Entry, Status, Transfer, Transfers
from medfund.bankfiles.refusals import BadFile

DUPLICATE, NO_COVER, NO_ACCOUNT, BAD_FORMAT = "DUPL", "AM04", "AC02", "FF01"
_SAID = {DUPLICATE: "重复支付", NO_COVER: "余额不足", NO_ACCOUNT: "付款账号不存在", BAD_FORMAT: "文件格式错误"}


def refuse_file(books: Books, name: str, refused: BadFile) -> None:
    """A file that cannot be read has no identification but its name."""
    books.report(name[:35], "RJCT", code=BAD_FORMAT, text=str(refused)[:105])


def take(books: Books, number: int, message: Transfers, wishes: Sequence[Wish]) -> None:
    """Work a payment file, or put it off. Every payment in it is one that was asked for, whatever becomes of it."""
    for transfer in message.transfers:
        books.payment(transfer.end_to_end_id).asked += 1
    times = books.message_ids.get(message.message_id, 0)
    books.message_ids[message.message_id] = times + 1
    if times:
        _refuse(books, message, DUPLICATE)
    elif message.debtor.number not in books.customers:
        _refuse(books, message, NO_ACCOUNT)
    else:
        _begin(books, plan_of(number, message), wishes)


def _refuse(books: Books, message: Transfers, code: str) -> None:
    books.report(message.message_id, "RJCT", code=code, text=_SAID[code])


def plan_of(number: int, message: Transfers) -> Plan:
    """The honest plan: every payment once, in an entry of its own."""
    intents = [Intent(transfer, [transfer.amount]) for transfer in message.transfers]
    return Plan(number, message.message_id, message.debtor.number, intents)


def _begin(books: Books, plan: Plan, wishes: Sequence[Wish]) -> None:
    misbehaviour.spoil(plan, wishes)
    if plan.days_late:
        books.later.append(Later(books.tomorrow(plan.days_late), plan=plan))
    else:
        work(books, plan)


def work(books: Books, plan: Plan) -> None:
    """Answer, pay, tell; what is for later is put off."""
    if not plan.reported:
        _report(books, plan)
    now = [intent for intent in plan.intents if not intent.rejected and not intent.later]
    if now:
        _tell(books, plan, _pay(books, plan, now))
    if later := [intent for intent in plan.intents if not intent.rejected and intent.later]:
        _put_off(books, plan, later)
    for intent in now:
        if intent.returned:
            back = (intent.transfer.end_to_end_id, intent.returned)
            books.later.append(Later(books.tomorrow(), give_back=back))


def _report(books: Books, plan: Plan) -> None:
    """Decide each payment: a code of its own, one that was there before, no cover for it, or none of these."""
    left = books.customers[plan.account].balance
    for intent in plan.intents:
        intent.rejected = intent.rejected or _reason(books, intent, left)
        if not intent.rejected:
            left -= sum(intent.amounts)
            payment = books.payment(intent.transfer.end_to_end_id)
            payment.account, payment.message_id, payment.transfer = plan.account, plan.message_id, intent.transfer
    statuses = tuple(_status(intent) for intent in plan.intents)
    answers = {status.accepted for status in statuses}
    books.report(plan.message_id, "PART" if len(answers) > 1 else "ACCP" if True in answers else "RJCT", statuses)


def _reason(books: Books, intent: Intent, left: int) -> str:
    if books.payment(intent.transfer.end_to_end_id).transfer is not None:
        return DUPLICATE
    return NO_COVER if sum(intent.amounts) > left else ""


def _status(intent: Intent) -> Status:
    code = intent.rejected
    return Status(intent.transfer.end_to_end_id, not code, code, _SAID.get(code, ""))


def _pay(books: Books, plan: Plan, intents: Sequence[Intent]) -> list[Entry]:
    details = [_detail(intent.transfer, amount) for intent in intents for amount in intent.amounts]
    for detail in details:
        books.payment(detail.end_to_end_id or "").paid += 1
    groups = [details] if plan.one_entry else [[detail] for detail in details]
    return [books.book(plan.account, "OUT", group, text="付款", file=plan.message_id) for group in groups]


def _detail(transfer: Transfer, amount: int) -> Detail:
    return Detail(
        amount=amount,
        end_to_end_id=transfer.end_to_end_id,
        counterparty=party(transfer.creditor),
        remittance=transfer.remittance,
    )


def _tell(books: Books, plan: Plan, entries: Sequence[Entry]) -> None:
    letter = books.tell(plan.told_account or plan.account, entries)
    letter = Letter(letter.name, notification=letter.notification, spoiled=plan.spoiled)
    books.outbox.append(letter)
    books.outbox += [books.copy(letter) for _ in range(plan.copies - 1)]
    if plan.repeated:
        books.later.append(Later(books.tomorrow(), letter=letter))


def _put_off(books: Books, plan: Plan, intents: Sequence[Intent]) -> None:
    rest = [Intent(intent.transfer, intent.amounts, returned=intent.returned) for intent in intents]
    put_off = Plan(plan.number, plan.message_id, plan.account, rest, reported=True)
    books.later.append(Later(books.tomorrow(), plan=put_off))


def give_back(books: Books, end_to_end_id: str, code: str) -> None:
    """A payment comes back whole, with its parties and the code that says why."""
    payment = books.payments.get(end_to_end_id, Payment())
    if payment.transfer is None or payment.returned >= payment.paid:
        raise ValueError(f"{end_to_end_id} was not paid, or is back already")
    payment.returned += 1
    detail = Detail(
        amount=payment.transfer.amount,
        end_to_end_id=end_to_end_id,
        return_code=code,
        return_text="退汇",
        counterparty=party(payment.transfer.creditor),
        remittance=payment.transfer.remittance,
    )
    entry = books.book(payment.account, "IN", [detail], text="退汇", file=payment.message_id)
    books.outbox.append(books.tell(payment.account, [entry]))


def catch_up(books: Books) -> None:
    """What was put off until today."""
    for later in books.due():
        if later.plan is not None:
            work(books, later.plan)
        if later.give_back is not None:
            give_back(books, *later.give_back)
        if later.letter is not None:
            books.outbox.append(books.copy(later.letter))
