"""Cities as numbers: how many visits of which kind, what the funds paid for them, where and when people go.

What a source publishes is exact here (counts, and money to the fen); everything else is a plausible choice, and
nothing in the product depends on it. Sources: domain.md section (a), S2 (Jincheng) and S3 (Xilingol), R7, R8.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import msgspec

from medfund import money


class Visits(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of visit. Weights are relative, shares are in thousandths."""

    name: str
    zh: str
    med_type: str
    clr_type: str
    clr_way: str
    count: int
    paid: int
    """What the funds paid for all of them together, in fen."""
    places: Mapping[str, int]
    """Share of the visits by the size of the place."""
    spread: float
    """How unequal the amounts are: sigma of a log-normal weight."""
    pays: tuple[int, int]
    """The funds' part of a bill, from and to."""
    employees: int = 150
    serious: int = 0
    """Share of visits in which the serious-illness insurance pays too."""
    assisted: int = 0
    """Share of visits in which medical assistance pays too."""
    account_only: int = 0
    """Share of visits that a personal account pays alone, so that no fund is touched."""
    weekend: int = 600
    hours: tuple[int, ...] = ()


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A size of provider: how many there are, how steep their heavy tail is, how large a bill is there."""

    kind: str
    level: str
    count: int
    tail: float
    bill: int = 1000


class Purchases(msgspec.Struct, frozen=True, kw_only=True):
    """What a city's hospitals buy in a year of suppliers whom the fund pays on their behalf."""

    hospitals: int
    """The first of the city's: the large ones of each size come first."""
    suppliers: int
    products: int
    statements: int
    invoices: int
    lines: int
    """Of orders."""
    line_fen: int
    """What half of the lines of a county hospital's orders cost at most."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A city and a stretch of days."""

    name: str
    zh: str
    area: str
    counties: tuple[str, ...]
    first_day: date
    last_day: date
    days_off: frozenset[date]
    places: Mapping[str, Place]
    visits: tuple[Visits, ...]
    purchases: Purchases | None = None

    @property
    def source(self) -> str:
        """The CloudEvents source: the city's gateway to the national platform."""
        return f"/gateway/{self.area}"

    def scaled(self, scale: str) -> "Profile":
        """The same city, quieter or busier: counts and money times `scale`, the providers stay."""
        factor = Decimal(scale)
        if factor <= 0:
            raise ValueError("the scale must be more than zero")
        purchases = self.purchases and _fewer(self.purchases, factor)
        return msgspec.structs.replace(
            self, visits=tuple(_scaled(kind, factor) for kind in self.visits), purchases=purchases
        )


def _scaled(kind: Visits, factor: Decimal) -> Visits:
    count = max(1, money.round2(kind.count * factor))
    return msgspec.structs.replace(kind, count=count, paid=max(count, money.round2(kind.paid * factor)))


MONTHS = 12


def _fewer(all: Purchases, factor: Decimal) -> Purchases:
    """A statement a month at least; there is never more than one of a hospital, a supplier and a month."""
    most = all.hospitals * all.suppliers * MONTHS * 9 // 10
    statements = min(most, max(MONTHS, money.round2(all.statements * factor)))
    invoices = max(statements, money.round2(all.invoices * factor))
    lines = max(invoices, money.round2(all.lines * factor))
    return msgspec.structs.replace(all, statements=statements, invoices=invoices, lines=lines)


# Weight of each hour of the day. Wards discharge in office hours, outpatient departments peak from 08 to 11, pharmacies
# stay open in the evening.
WARD_HOURS = (0, 0, 0, 0, 0, 0, 0, 2, 40, 110, 150, 120, 40, 30, 90, 120, 110, 60, 15, 5, 3, 1, 0, 0)
CLINIC_HOURS = (2, 1, 1, 1, 1, 3, 12, 45, 120, 125, 115, 80, 30, 40, 75, 85, 75, 50, 30, 22, 15, 9, 5, 3)
PHARMACY_HOURS = (0, 0, 0, 0, 0, 0, 3, 25, 90, 120, 115, 80, 55, 50, 60, 70, 75, 80, 85, 80, 50, 20, 3, 0)

# State Council notice of 2024-11-12: the holidays of 2025.
DAYS_OFF_2025 = frozenset(
    date(2025, month, day)
    for month, days in (
        (1, (1, 28, 29, 30, 31)),
        (2, (1, 2, 3, 4)),
        (4, (4, 5, 6)),
        (5, (1, 2, 3, 4, 5, 31)),
        (6, (1, 2)),
    )
    for day in days
)

XILINGOL = Profile(
    name="xilingol",
    zh="锡林郭勒盟",
    area="152500",
    counties=(
        "152502",
        "152501",
        "152525",
        "152526",
        "152531",
        "152527",
        "152522",
        "152523",
        "152524",
        "152528",
        "152529",
        "152530",
    ),
    first_day=date(2025, 1, 1),
    last_day=date(2025, 7, 31),
    days_off=DAYS_OFF_2025,
    # S3: 324 medical institutions and 347 pharmacies.
    places={
        "city hospital": Place(kind="H", level="3", count=2, tail=0.5, bill=1900),
        "county hospital": Place(kind="H", level="2", count=24, tail=0.6, bill=1000),
        "township centre": Place(kind="H", level="1", count=98, tail=0.7, bill=550),
        "village clinic": Place(kind="H", level="9", count=200, tail=0.7, bill=300),
        "pharmacy": Place(kind="P", level="9", count=347, tail=0.8, bill=700),
    },
    # S3: published counts and amounts of the first seven months.
    visits=(
        Visits(
            name="inpatient",
            zh="住院",
            med_type="21",
            clr_type="21",
            clr_way="3",
            count=27_069,
            paid=13_353_700_000,
            places={"city hospital": 400, "county hospital": 480, "township centre": 120},
            spread=0.75,
            pays=(760, 920),
            serious=210,
            assisted=620,
            weekend=450,
            hours=WARD_HOURS,
        ),
        Visits(
            name="chronic",
            zh="门诊慢特病",
            med_type="14",
            clr_type="14",
            clr_way="1",
            count=142_846,
            paid=4_604_500_000,
            places={"city hospital": 200, "county hospital": 280, "township centre": 160, "pharmacy": 360},
            spread=0.8,
            pays=(800, 950),
            serious=30,
            assisted=410,
            hours=CLINIC_HOURS,
        ),
        Visits(
            name="primary",
            zh="基层门诊",
            med_type="11",
            clr_type="11",
            clr_way="1",
            count=197_797,
            paid=1_127_480_000,
            places={"township centre": 560, "village clinic": 440},
            spread=0.6,
            pays=(550, 740),
            employees=80,
            assisted=90,
            weekend=700,
            hours=CLINIC_HOURS,
        ),
    ),
)

JINCHENG = Profile(
    name="jincheng",
    zh="晋城市",
    area="140500",
    counties=("140502", "140525", "140581", "140522", "140524", "140521"),
    first_day=date(2025, 3, 1),
    last_day=date(2025, 3, 31),
    days_off=frozenset(),
    places={
        "city hospital": Place(kind="H", level="3", count=8, tail=0.5, bill=1800),
        "county hospital": Place(kind="H", level="2", count=34, tail=0.6, bill=1000),
        "township centre": Place(kind="H", level="1", count=150, tail=0.7, bill=550),
        "village clinic": Place(kind="H", level="9", count=1_150, tail=0.7, bill=300),
        "pharmacy": Place(kind="P", level="9", count=900, tail=0.8, bill=600),
    },
    # S2: 1,412,480 settlements in a month. Their split and the money are choices.
    visits=(
        Visits(
            name="inpatient",
            zh="住院",
            med_type="21",
            clr_type="21",
            clr_way="4",
            count=33_480,
            paid=17_409_600_000,
            places={"city hospital": 520, "county hospital": 410, "township centre": 70},
            spread=0.8,
            pays=(620, 850),
            employees=340,
            serious=140,
            assisted=60,
            weekend=450,
            hours=WARD_HOURS,
        ),
        Visits(
            name="chronic",
            zh="门诊慢特病",
            med_type="14",
            clr_type="14",
            clr_way="1",
            count=182_000,
            paid=5_278_000_000,
            places={"city hospital": 330, "county hospital": 300, "township centre": 150, "pharmacy": 220},
            spread=0.8,
            pays=(680, 780),
            employees=450,
            serious=20,
            assisted=50,
            hours=CLINIC_HOURS,
        ),
        Visits(
            name="outpatient",
            zh="普通门诊",
            med_type="11",
            clr_type="11",
            clr_way="1",
            count=604_000,
            paid=4_228_000_000,
            places={"city hospital": 220, "county hospital": 250, "township centre": 300, "village clinic": 230},
            spread=0.7,
            pays=(450, 700),
            employees=400,
            hours=CLINIC_HOURS,
        ),
        Visits(
            name="pharmacy",
            zh="药店购药",
            med_type="41",
            clr_type="41",
            clr_way="1",
            count=593_000,
            paid=1_067_400_000,
            places={"pharmacy": 1000},
            spread=0.7,
            pays=(450, 600),
            employees=1000,
            account_only=620,
            weekend=1100,
            hours=PHARMACY_HOURS,
        ),
    ),
)

WEIHAI = Profile(
    name="weihai",
    zh="威海市",
    area="371000",
    counties=("371002", "371003", "371082", "371083"),
    first_day=date(2025, 1, 1),
    last_day=date(2025, 7, 31),
    days_off=DAYS_OFF_2025,
    places={
        "city hospital": Place(kind="H", level="3", count=8, tail=0.5, bill=1900),
        "county hospital": Place(kind="H", level="2", count=32, tail=0.6, bill=1000),
        "township centre": Place(kind="H", level="1", count=68, tail=0.7, bill=550),
        "pharmacy": Place(kind="P", level="9", count=40, tail=0.8, bill=700),
    },
    # S1: the published visits of chronic outpatients, and what was paid for them.
    visits=(
        Visits(
            name="chronic",
            zh="门诊慢特病",
            med_type="14",
            clr_type="14",
            clr_way="1",
            count=11_163,
            paid=315_760_000,
            places={"city hospital": 300, "county hospital": 380, "township centre": 220, "pharmacy": 100},
            spread=0.8,
            pays=(700, 820),
            employees=420,
            hours=CLINIC_HOURS,
        ),
    ),
    # R8: order lines, invoices and statements of a year in a city of its size. Who buys of whom is a choice.
    purchases=Purchases(
        hospitals=108,
        suppliers=60,
        products=800,
        statements=64_800,
        invoices=113_000,
        lines=422_000,
        line_fen=80_000,
    ),
)

PROFILES: Mapping[str, Profile] = {profile.name: profile for profile in (XILINGOL, JINCHENG, WEIHAI)}
