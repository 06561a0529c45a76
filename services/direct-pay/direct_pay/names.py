"""What things between a hospital and a supplier are called: by both of them, and by the name that one of them gave."""

from typing import Any, NamedTuple


class Name(NamedTuple):
    """Of an order, an invoice, a statement, arrears. Two suppliers may have chosen the same."""

    provider: str
    supplier: str
    ref: str

    def beside(self, ref: str) -> "Name":
        """Another thing between the two."""
        return tuple.__new__(Name, (self[0], self[1], ref))  # twice as fast, and there are very many


def order(event: Any) -> Name:
    return Name(event.provider, event.supplier, event.order_no)


def invoice(event: Any) -> Name:
    return Name(event.provider, event.supplier, event.invoice)


def statement(event: Any) -> Name:
    return Name(event.provider, event.supplier, event.statement_ref)


def arrears(event: Any) -> Name:
    return Name(event.provider, event.supplier, event.arrears_ref)
