"""A hospital's balance with history, read over HTTP from a journal of 10 million lines."""

import asyncio
import http.client
import json
import time

from bench.ground import LANES, Ground
from medfund.http import tokens
from medfund.lanes import partition
from medfund.local.server import eventually

PROVIDERS = 2_000
DAYS = 365
READS = 1_000
LINES_OF_A_PROVIDER = 365 * 5 * 3
PORT = 28999

FILL_JOURNAL = """
insert into journal
select
    lane, 'claims', line * 10, 0, line * 10 + 4, 5, 'settlement.recorded.v1', 'OPS', '140500', fund, '5001', '2100',
    100 + line % 99991, party, '', '310', clr_type, 2025, day, day, day
from unnest($1::smallint[], $2::text[]) as provider (lane, party)
cross join lateral (
    select
        (hashtext(provider.party)::bigint & 1048575) * 100000 + row_number() over () as line,
        date '2025-01-01' + day as day, fund, clr_type
    from generate_series(0, 364) as day,
        unnest(array['310100', '390100', '390200', '610100', '330100']) as fund,
        unnest(array['11', '21', '14']) as clr_type
) as entry
limit $3
"""
FILL_BUCKETS = """
insert into buckets
select lane, party, side.account, 'OPS', fund, area, '', value_date, recorded_date, sum(side.debit), sum(side.credit)
from journal,
    lateral (values (journal.debit, amount, 0), (journal.credit, 0, amount)) as side (account, debit, credit)
where lane = $1
group by lane, party, side.account, fund, area, value_date, recorded_date
"""


async def fill(ground: Ground, *, lines: int) -> int:
    """Ten million lines of 2,000 providers over a year; how many there are."""
    await ground.empty_books()
    connection = await ground.connect()
    await connection.execute("set synchronous_commit = off")
    parties = [f"H140502{number:05d}" for number in range(PROVIDERS)]
    lanes = [partition.lane_of(party.encode(), LANES) for party in parties]
    await connection.execute(FILL_JOURNAL, lanes, parties, lines, timeout=3000)
    for lane in range(LANES):
        await connection.execute(FILL_BUCKETS, lane, timeout=3000)
    await connection.execute("vacuum analyze journal", timeout=3000)
    await connection.execute("vacuum analyze buckets", timeout=3000)
    count = await connection.fetchval("select count(*) from journal")
    await connection.close()
    return int(count)


async def measure(ground: Ground, *, lines: int) -> dict[str, float]:
    """Percentiles in milliseconds of one client's requests, and the lines there were."""
    count = await fill(ground, lines=lines)
    keys = tokens.make_keys(ground.folder)
    token = tokens.issue(
        tokens.load_key(keys.private),
        role="finance",
        areas=["140500"],
        organisations=["*"],
        subject="bench",
        ttl_s=3600,
    )
    ground.extra = {"LEDGER_API_PORT": str(PORT), "MEDFUND_TOKEN_PUBLIC_KEY": str(keys.public)}
    with ground.processes([("-m", "ledger", "api")]):
        waits = await asyncio.to_thread(read, token, max(1, count // LINES_OF_A_PROVIDER))
    return {"p50": waits[len(waits) // 2], "p99": waits[len(waits) * 99 // 100], "lines": count}


def read(token: str, providers: int) -> list[float]:
    assert eventually(answers, 30)
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
    waits = []
    for number in range(READS):
        party = f"H140502{number * 37 % min(providers, PROVIDERS):05d}"
        path = f"/v1/balances?party={party}&account=2100&as_of=2025-{1 + number % 12:02d}-15&known_on=2025-11-30"
        began = time.perf_counter()
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        body = response.read()
        waits.append((time.perf_counter() - began) * 1000)
        assert response.status == 200, body[:300]
        assert json.loads(body)["balances"], path
    return sorted(waits)


def answers() -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
        connection.request("GET", "/openapi.json")
        return connection.getresponse().status < 500
    except OSError:
        return False
