"""What people ask for that a statement, as it is known, leaves no room for. Pure.

The lane lets such a word be, for it may have been said before what it contradicts: whoever asks is told at once.
"""

from direct_pay.statements.statement import Statement


def withdrawal(statement: Statement) -> str | None:
    """Why nothing would come of it."""
    if statement.instalments:
        return f"{len(statement.instalments)} instalments of it are requested"
    return _over(statement)


def confirmation(statement: Statement) -> str | None:
    if statement.mode:
        return "it is confirmed already"
    return _over(statement)


def dispute(statement: Statement, invoice: str, order_no: str, line: int, code: str) -> str | None:
    if (why := _foreign(statement, invoice)) is not None:
        return why
    if (invoice, order_no, line, code) in {one.key for one in statement.faults if one.until is None}:
        return f"{invoice} is in dispute already"
    if invoice in statement.asked and invoice not in statement.held:
        return f"{invoice} is requested: a red letter takes it back"
    return None


def resolution(statement: Statement, invoice: str, order_no: str, line: int, outcome: str, by: str) -> str | None:
    if (why := _foreign(statement, invoice)) is not None or outcome == "DROP":
        return why
    said = {one.key for one in statement.faults if one.until is None and one.code.startswith("BY_")}
    said |= {(one.invoice, one.order_no, one.line, one.code) for one in statement.said if not statement.status}
    codes = {code for *of, code in said if (*of,) == (invoice, order_no, line)}
    if codes == {"BY_AGENCY"} and by != "AGENCY":
        return f"the agency disputes {invoice}, and ends it itself"
    if not codes:
        return f"there is no dispute of {invoice} that somebody began: what does not match ends when it does"
    return None


def _foreign(statement: Statement, invoice: str) -> str | None:
    listed = {ref for one in statement.waiting for ref, _ in one.lines}
    if invoice not in statement.invoices and invoice not in listed:
        return f"{invoice} is not in it"
    return _over(statement)


def _over(statement: Statement) -> str | None:
    return "it was withdrawn before" if statement.status == "ENDED" or statement.withdrawn_on else None
