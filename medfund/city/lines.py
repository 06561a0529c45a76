"""Events of a city as JSON lines: CloudEvents in structured form, one event a line.

Pure. A settlement is the hot path and is written by a template; the contract's own codec reads it back in the tests.
Source of the form: design §3.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import lru_cache

import msgspec

from medfund import money
from medfund.city.model import City, Provider, Visit, uuid7
from medfund.events.agency import policy_hash

SHANGHAI = timezone(timedelta(hours=8))
COMMANDS = "/clearing/commands"
"""As who approved a policy would have it published: two people, by command."""

# Every [G] and [K] of domain.md is such a parameter; a city begins with these.
POLICY = {
    "bond.310100": "0.05",
    "bond.390100": "0.05",
    "clock.working_days": "15",
    "instant.offset": "true",
    "instant.ratio": "0.90",
    "instant.stat": "TEMP",
    "offset.order": "1104 1107 1108 1103 1102 1101",
}


def settlement(visit: Visit, source: str) -> bytes:
    """The line of a `settlement.recorded`."""
    kind, day = visit.kind, visit.service_date.isoformat()
    funds = ",".join([f'"{fund}":"{money.yuan(amount)}"' for fund, amount in visit.funds])
    return (
        f'{{"specversion":"1.0","id":"{visit.id}","source":"{source}","type":"settlement.recorded.v1",'
        f'"time":"{day}T{_clock(visit.at_ms // 1000 % 86_400)}+08:00",'
        f'"data":{{"settlement_ref":"{visit.ref}","area":"{source[-6:]}",'
        f'"insured_area":"{visit.insured_area}","provider":"{visit.provider}","insutype":"{visit.insutype}",'
        f'"med_type":"{kind.med_type}","clr_type":"{kind.clr_type}","clr_way":"{kind.clr_way}",'
        f'"service_date":"{day}","benefit_year":{day[:4]},"total":"{money.yuan(visit.total)}","funds":{{{funds}}},'
        f'"personal_account":"{money.yuan(visit.account)}","family_account":"{money.yuan(visit.family)}",'
        f'"hospital_share":"0.00","other":"0.00","cash":"{money.yuan(visit.cash)}","advanced":[]}}}}\n'
    ).encode()


def reversal(visit: Visit, source: str, *, ref: str, id: str, at_ms: int) -> bytes:
    """The line of a `settlement.reversed`: the settlement with every amount mirrored."""
    kind, day = visit.kind, visit.service_date
    data = {
        "settlement_ref": ref,
        "area": source[-6:],
        "insured_area": visit.insured_area,
        "provider": visit.provider,
        "insutype": visit.insutype,
        "med_type": kind.med_type,
        "clr_type": kind.clr_type,
        "clr_way": kind.clr_way,
        "service_date": day.isoformat(),
        "benefit_year": day.year,
        "total": money.yuan(-visit.total),
        "funds": {fund: money.yuan(-amount) for fund, amount in visit.funds},
        "personal_account": money.yuan(-visit.account),
        "family_account": money.yuan(-visit.family),
        "hospital_share": "0.00",
        "other": "0.00",
        "cash": money.yuan(-visit.cash),
        "advanced": [],
        "reverses_ref": visit.ref,
    }
    return line(type="settlement.reversed.v1", id=id, source=source, time=local_time(at_ms), data=data)


def agency(city: City) -> Iterator[bytes]:
    """What the agency publishes before the first visit: its policy, and every provider."""
    rng = city.stream("agency")
    first_day = city.profile.first_day
    opening = datetime(first_day.year, first_day.month, first_day.day, tzinfo=SHANGHAI) - timedelta(hours=15)
    opening_ms = int(opening.timestamp()) * 1000
    office = f"/agency/{city.profile.area}"
    events = [("policy.published.v1", COMMANDS, _policy(city))]
    events += [("provider.registered.v1", office, _registration(city, provider)) for provider in city.providers]
    for i, (event_type, source, data) in enumerate(events):
        at_ms = opening_ms + i * 1000
        yield line(
            type=event_type,
            id=uuid7(at_ms, rng),
            source=source,
            time=local_time(at_ms),
            data=data,
        )


def _policy(city: City) -> dict[str, object]:
    return {
        "area": city.profile.area,
        "valid_from": city.profile.first_day.isoformat(),
        "hash": policy_hash(POLICY),
        "parameters": POLICY,
        "approvers": ["staff-7c41", "staff-02e9"],
    }


def _registration(city: City, provider: Provider) -> dict[str, object]:
    return {
        "provider": provider.code,
        "area": city.profile.area,
        "uscc": provider.uscc,
        "level": provider.level,
        "bank_account_ref": f"acct-{provider.code}",
        "valid_from": city.profile.first_day.isoformat(),
    }


def line(*, type: str, id: str, source: str, time: str, data: object) -> bytes:
    """One event as a line of JSON."""
    envelope = {"specversion": "1.0", "id": id, "source": source, "type": type, "time": time, "data": data}
    return msgspec.json.encode(envelope) + b"\n"


def local_time(at_ms: int) -> str:
    """An instant as local time with its offset, whole seconds."""
    return datetime.fromtimestamp(at_ms // 1000, SHANGHAI).isoformat()


@lru_cache(maxsize=86_400)
def _clock(second: int) -> str:
    """The local time of day for a second of the UTC day."""
    return local_time(second * 1000)[11:19]
