"""Account numbers, which events never carry: the fund's own accounts, and the payees' by their references.

What stays true: each fund of an area has its own account; a number belongs to one of them. The register is a file of
the finance department's, read where bank files are written and read, and nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from medfund.bankfiles import templates
from medfund.bankfiles.messages import Account
from medfund.bankfiles.refusals import BadFile
from medfund.bankfiles.templates import BadTemplate, Template
from medfund.events.bank import BankAccount


class BadRegister(Exception):
    """The register says something that cannot be."""


class UnknownAccount(LookupError):
    """The register does not name an account that a file needs."""


class Own(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account of one fund of one area."""

    area: str
    fund: str
    bank_account: BankAccount
    number: str
    name: str
    bank: str
    form: str = ""
    """A template beside the register, for a bank with a form of its own; ISO 20022 where there is none."""
    pain_001: Literal["03", "09", "11"] = "09"
    """The version of the standard's payment file that the account's bank takes."""

    @property
    def account(self) -> Account:
        return Account(self.number, self.name, self.bank)


class _Payee(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: str
    name: str
    bank: str


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    own: list[Own]
    payees: dict[str, _Payee]


@dataclass(frozen=True)
class Register:
    by_number: Mapping[str, Own]
    payees: Mapping[str, Account]
    forms: Mapping[str, Template] = field(default_factory=dict)
    """By the names that accounts give them."""

    def form(self, own: Own) -> Template | None:
        return self.forms[own.form] if own.form else None

    def own(self, number: str) -> Own:
        """Raises `UnknownAccount`."""
        try:
            return self.by_number[number]
        except KeyError:
            raise UnknownAccount(f"account {number} is none of the fund's own accounts in the register") from None

    def of(self, area: str, fund: str, bank_account: str) -> Own:
        """Raises `UnknownAccount`."""
        for own in self.by_number.values():
            if (own.area, own.fund, own.bank_account) == (area, fund, bank_account):
                return own
        raise UnknownAccount(f"the register has no account {bank_account} of fund {fund} of area {area}")

    def payee(self, ref: str) -> Account:
        """Raises `UnknownAccount`."""
        try:
            return self.payees[ref]
        except KeyError:
            raise UnknownAccount(f"the register has no payee's account {ref}") from None


def read(path: Path) -> Register:
    """Raises `BadRegister` with what is wrong."""
    try:
        written = msgspec.json.decode(path.read_bytes(), type=_Written)
        own = {one.number: one for one in written.own if one.account}
        payees = {ref: Account(one.number, one.name, one.bank) for ref, one in written.payees.items()}
        forms = {one.form: templates.load(path.parent / one.form) for one in written.own if one.form}
    except (OSError, msgspec.DecodeError, BadFile, BadTemplate) as error:
        raise BadRegister(f"{path.name}: {error}") from error
    accounts = {(one.area, one.fund, one.bank_account) for one in own.values()}
    if len(own) < len(written.own) or len(accounts) < len(own):
        raise BadRegister(f"{path.name}: each fund has an account of its own, and each number belongs to one of them")
    return Register(own, payees, forms)
