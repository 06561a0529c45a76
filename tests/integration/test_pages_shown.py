"""Pages as people see them: each is shown in a browser, on a screen and as paper, and every total is inside of both.

`MEDFUND_TEST_PAGES` names a folder that keeps the pictures and the papers, to be looked at.
"""

import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from clearing.app import create as clearing_app
from clearing.prepayment.api import get_prepayment_outlook, get_prepayment_statement
from clearing.prepayment.outlook import Age, Month, Outlook
from ledger.api.app import create as ledger_app
from ledger.settings import ApiSettings as LedgerSettings
from medfund import money
from medfund.http import docs, pages, tokens
from medfund.http.tables import Table
from tests import browser
from tests.browser import Browser
from tests.conftest import Database
from tests.events import AREA
from tests.fund import PROVIDER, Fund, running
from tests.integration import claims_served
from tests.integration.claims_served import api_settings
from tests.integration.served import Api

FUNDS = {
    "310100": 987_654_321_098_76,
    "320100": 12_345_678_901_23,
    "330100": 9_876_543_210_99,
    "390100": 876_543_210_987_65,
    "610100": 98_765_432_109_87,
}
"""Five, of sums as a province has them: 9,876,543,210.98 and the like."""
BROKEN = "[...document.querySelectorAll('.whole')].filter(part => part.getClientRects().length > 1).length"
"""How many parts of names are on two lines."""
SMALL = "[...document.querySelectorAll('.en')].map(one => one.textContent).filter(text => /^[a-z]/.test(text)).join()"
HOSPITAL = "锡林郭勒盟东部草原综合医疗联合体总医院（含苏木卫生院十四家）"


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser.opened(tmp_path_factory.mktemp("browser")) as window:
        yield window


def shown(window: Browser, name: str, html: str) -> None:
    """On a screen and on paper: nothing is cut off, no number lies over another. Each part is told as what it is."""
    for medium, (width, height) in (("screen", browser.SCREEN), ("print", browser.A4)):
        window.show(html, width=width, height=height, medium=medium)
        kept(f"{name}-{medium}.png", window.picture)
        assert window.outside() == [], medium
        assert window.keeps_out() == [], medium
        assert window.said(BROKEN) == 0, medium
    kept(f"{name}.pdf", window.paper)
    assert window.said(SMALL) == "", "labels begin with a capital"
    assert window.said("document.querySelectorAll('table').length") > 0
    for wrong in ("table:not(:has(caption))", "thead th:not([scope])", "img:not([alt])", "img[alt='']"):
        assert window.said(f"document.querySelectorAll({wrong!r}).length") == 0, wrong


def kept(name: str, made: Callable[[], bytes]) -> None:
    if folder := os.environ.get("MEDFUND_TEST_PAGES"):
        (Path(folder) / name).write_bytes(made())


@pytest.fixture
async def fund(database: Database) -> AsyncIterator[Fund]:
    async with running(database) as fund:
        fund.put("provider.registered.v1", provider=PROVIDER, name=HOSPITAL, account_ends="4711")
        fund.policy()
        yield fund


@pytest.fixture
async def api(fund: Fund, database: Database, tmp_path: Path) -> AsyncIterator[Api]:
    async with claims_served.serving(database, fund.log, tmp_path) as api:
        yield api


async def test_a_statement_of_five_funds_has_what_a_bureaus_has_and_all_of_it_is_inside_the_paper(
    fund: Fund, api: Api, window: Browser
) -> None:
    visit = fund.settle(FUNDS)
    fund.settle({"310100": 1_200_000})
    batch = f"{PROVIDER}-310-21-202601"
    fund.submit(batch)
    await fund.drain()
    fund.day("2026-02-09")
    fund.find(batch, "F-2026-000017", {"310100": 4_123_055}, visit)
    await fund.drain()
    fund.deduct([batch], {"310100": 4_123_055})
    await fund.drain()
    hospital = api.caller("provider", areas=[AREA], organisations=[PROVIDER])
    path = f"/v1/claims/{PROVIDER}/{batch}/statement"
    told = await hospital.answer(path)
    net = next(section["total"] for section in told["sections"] if section["code"] == "NET")
    assert (told["provider_name"], told["account_ends"], told["settlements"]) == (HOSPITAL, "4711", 2)
    assert told["instant_ratios"] == dict.fromkeys(FUNDS, "0.9")
    assert told["net_in_capitals"] == money.capitals(money.fen(net))
    assert list(told)[-1] == "positions"
    html = (await hospital.get(path, format="html")).text
    shown(window, "statement", html)
    parts = window.said("[...document.querySelectorAll('tbody .whole')].map(part => part.textContent).join(' ')")
    assert parts.startswith(f"{PROVIDER}- 310- 21- 202601"), "a name breaks after its separators"
    text = window.said("document.body.innerText")
    for expected in (
        HOSPITAL, PROVIDER, "尾号 ending in 4711", "90 %", f"人民币{told['net_in_capitals']}", "审核扣款（拒付）",
        f"违反审核规则 against a rule {visit}", "制单", "复核", "盖章", told["policy"],
    ):  # fmt: skip
        assert expected in text
    assert text.rindex("日志位置") > text.rindex("盖章"), "at the foot"


@pytest.mark.parametrize("medium", ["screen", "print"])
def test_a_total_that_is_outside_or_over_its_neighbour_is_noticed(medium: str, window: Browser) -> None:
    cells = "".join(f'<td class="n" style="white-space:nowrap">{fen:,}.00 {fen:,}.00</td>' for fen in FUNDS.values())
    window.show(f"<table><tr>{cells * 2}</tr></table>", width=1032, height=700, medium=medium)
    assert len(window.outside()) >= 3
    narrow = '<table style="table-layout:fixed;width:90px"><tr><td class="n">9876543210.99</td><td>x</td></tr></table>'
    window.show(narrow, width=1032, height=700, medium=medium)
    assert window.outside() == ["9876543210.99"]


def test_what_keeps_somebody_out_is_noticed(window: Browser) -> None:
    page = '<html lang="en"><title>x</title><p style="color:#bbb">pale</p><img src="data:,"></html>'
    window.show(page, width=1032, height=700)
    assert [found.partition(":")[0] for found in window.keeps_out()] == ["color-contrast", "image-alt"]


async def test_a_part_of_a_statement_that_is_empty_says_why(fund: Fund, api: Api, window: Browser) -> None:
    fund.settle({"310100": 1_200_000})
    fund.submit("B-1")
    await fund.drain()
    hospital = api.caller("provider", areas=[AREA], organisations=[PROVIDER])
    html = (await hospital.get(f"/v1/claims/{PROVIDER}/B-1/statement", format="html")).text
    shown(window, "statement-empty", html)
    assert "尚未核定即时结算预拨 Nothing is approved to be paid at once" in re.sub(r"<[^>]+>", "", html)


def test_an_outlook_of_five_funds_is_inside_its_paper(window: Browser) -> None:
    today, ahead, so_far = date(2026, 9, 1), [], {}
    for fund, fen in FUNDS.items():
        months = [Month(date(2026, month, 1), fen, fen // 4, fen - fen // 4 * (month - 8)) for month in range(9, 13)]
        ahead.append(Outlook(fund, fen, [Age(30, 12, fen // 3), Age(None, 3, fen)], months))
        so_far[fund] = [(date(2026, 2, 27), fen)]
    page = get_prepayment_outlook._page(AREA, today, so_far, {}, ahead)
    shown(window, "outlook", bytes(page.body).decode())


def test_an_outlook_of_nothing_says_so(window: Browser) -> None:
    page = get_prepayment_outlook._page(AREA, date(2026, 9, 1), {}, {}, [])
    shown(window, "outlook-empty", bytes(page.body).decode())
    text = window.said("document.body.innerText")
    assert "没有未收回的预付金" in text
    assert "未公布基金收支数据" in text


def test_prepayments_of_five_funds_are_inside_their_paper(window: Browser) -> None:
    own = get_prepayment_statement.OWN_COLUMNS
    steps = get_prepayment_statement.STEP_COLUMNS
    parts = []
    for fund, fen in FUNDS.items():
        name = get_prepayment_statement.answers.fund_name(fund)
        parts.append(pages.table(Table(name, own, [("PREPAY-2026-152500-" + fund, "已拨付", *[fen] * 6)])))
        about = f"{PROVIDER}-310-21-202601/P2"
        parts.append(pages.table(Table(name, steps, [(date(2026, 2, 27), f"P-{fund}", "拨付 paid", fen, fen, about)])))
    facts = [(get_prepayment_statement.TITLE, HOSPITAL)]
    page = pages.response(get_prepayment_statement.TITLE, facts, parts)
    shown(window, "prepayments", bytes(page.body).decode())


async def test_a_hospitals_own_prepayments_and_what_is_expected_back_are_shown_as_they_are(
    fund: Fund, api: Api, window: Browser
) -> None:
    for staff, role in (("anna", "finance"), ("bo", "approver")):
        fund.mandate(staff, role)
    fund.figures("310100", "41230000000.00", "34567000000.00")
    fund.assess("B")
    fund.day("2026-01-06")
    fund.apply("310100")
    await fund.drain()
    fund.grant(f"{PROVIDER}/YF-2026/310100", 1_070_473_242)
    await fund.drain()
    hospital = api.caller("provider", areas=[AREA], organisations=[PROVIDER])
    own = await hospital.get("/v1/prepayment-statement", provider=PROVIDER, year=2026, format="html")
    shown(window, "prepayment-statement", own.text)
    text = window.said("document.body.innerText")
    for expected in (HOSPITAL, PROVIDER, "已批准", "10,704,732.42"):
        assert expected in text
    ahead = await api.caller("finance", areas=[AREA]).get("/v1/prepayment-outlook", area=AREA, format="html")
    shown(window, "prepayment-outlook", ahead.text)
    assert "没有未收回的预付金" in window.said("document.body.innerText"), "it is granted, and not paid yet"


@pytest.mark.parametrize("service", ["ledger", "clearing"])
def test_the_description_of_an_api_fits_a_screen(service: str, window: Browser, tmp_path: Path) -> None:
    keys = tokens.make_keys(tmp_path)
    if service == "clearing":
        settings = api_settings(NowhereDatabase(), "127.0.0.1:1", "medfund", keys, lanes=3)  # type: ignore[arg-type]
        app = clearing_app(settings)
    else:
        app = ledger_app(
            LedgerSettings.model_validate(
                {
                    "kafka_bootstrap": "127.0.0.1:1", "MEDFUND_LANES": 3, "MEDFUND_TOPIC_PREFIX": "medfund",
                    "LEDGER_API_DSN": "postgresql://127.0.0.1:1/x", "MEDFUND_TOKEN_PUBLIC_KEY": keys.public,
                }
            )
        )  # fmt: skip
    described = app.openapi()
    window.show(docs.page(described), width=1280, height=900)
    kept(f"docs-{service}.png", window.picture)
    assert window.outside() == []
    a_few = dict(list(described["paths"].items())[:4])  # the others are of the same parts, and axe takes its time
    window.show(docs.page({**described, "paths": a_few}), width=1280, height=900)
    assert window.keeps_out() == []


class NowhereDatabase:
    def dsn(self, *_: str) -> str:
        return "postgresql://127.0.0.1:1/x"
