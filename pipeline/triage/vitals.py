"""The vital signs that are followed: codes, units, and what a body can and cannot show.

Codes are LOINC, units UCUM. `impossible` bounds quarantine a value, `implausible` bounds ask for it to be measured
again; both are our choice (docs/adr/0004), set from the ranges in which home devices report.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from msgspec import Struct

from pipeline.triage.recent import DIGITS

MG_DL_PER_MMOL_L: Final = 18.016  # glucose: molar mass 180.16 g/mol over 10 dL/L


class Side(Enum):
    """Which way from the patient's normal is worse."""

    LOW = -1
    BOTH = 0


class Vital(Struct, frozen=True, kw_only=True):
    """One vital sign; every bound in `unit`."""

    index: int  # its place in a patient's state: never reused
    name: str
    codes: tuple[str, ...]  # LOINC; the first is canonical
    unit: str  # UCUM
    units: dict[str, float] = {}  # other units seen in the wild -> factor to `unit`
    group: str  # vitals of one group come from one measurement: together they are one signal
    impossible: tuple[float | None, float | None]  # below, above
    implausible: tuple[float | None, float | None]  # below, above
    floor: float  # least spread of the personal baseline
    side: Side = Side.BOTH
    fall: float | None = None  # a fall from the last daily value by more than this is implausible
    step: float | None = None  # a step either way within a day by more than this is implausible
    share_of_best: float | None = None  # under this share of the own best is implausible [1]

    @property
    def by_history(self) -> bool:
        """Whether a value can be implausible beside the patient's own earlier ones."""
        return self.fall is not None or self.step is not None or self.share_of_best is not None


SYSTOLIC: Final = Vital(
    index=0,
    name="systolic",
    codes=("8480-6",),
    unit="mm[Hg]",
    group="blood pressure",
    impossible=(40.0, 300.0),
    implausible=(70.0, 230.0),
    floor=4.0,
)
DIASTOLIC: Final = Vital(
    index=1,
    name="diastolic",
    codes=("8462-4",),
    unit="mm[Hg]",
    group="blood pressure",
    impossible=(20.0, 200.0),
    implausible=(40.0, 130.0),
    floor=3.0,
)
HEART_RATE: Final = Vital(
    index=2,
    name="heart_rate",
    codes=("8867-4",),
    unit="/min",
    units={"beats/min": 1.0, "{beats}/min": 1.0},
    group="heart rate",
    impossible=(20.0, 300.0),
    implausible=(35.0, 180.0),
    floor=3.0,
)
SPO2: Final = Vital(
    index=3,
    name="spo2",
    codes=("2708-6", "59408-5"),
    unit="%",
    group="oxygen saturation",
    impossible=(40.0, 100.0),
    implausible=(80.0, None),
    floor=1.0,
    side=Side.LOW,
    fall=6.0,
)
TEMPERATURE: Final = Vital(
    index=4,
    name="temperature",
    codes=("8310-5",),
    unit="Cel",
    group="temperature",
    impossible=(25.0, 45.0),
    implausible=(34.0, 41.5),
    floor=0.2,
)
WEIGHT: Final = Vital(
    index=5,
    name="weight",
    codes=("29463-7", "29563-7"),
    unit="kg",
    units={"g": 0.001},
    group="weight",
    impossible=(20.0, 400.0),
    implausible=(None, None),
    floor=0.5,
    step=5.0,
)
RESPIRATORY_RATE: Final = Vital(
    index=6,
    name="respiratory_rate",
    codes=("9279-1",),
    unit="/min",
    units={"{breaths}/min": 1.0, "breaths/min": 1.0},
    group="respiration",
    impossible=(3.0, 80.0),
    implausible=(8.0, 40.0),
    floor=1.0,
)
GLUCOSE: Final = Vital(
    index=7,
    name="glucose",
    codes=("15074-8",),
    unit="mmol/L",
    units={"mmol/l": 1.0, "mg/dL": 1 / MG_DL_PER_MMOL_L},
    group="glucose",
    impossible=(0.5, 60.0),
    implausible=(2.5, 30.0),
    floor=0.5,
)
FEV1: Final = Vital(
    index=8,
    name="fev1",
    codes=("20150-9",),
    unit="L",
    group="spirometry",
    impossible=(0.1, 8.0),
    implausible=(None, None),
    floor=0.1,
    side=Side.LOW,
    share_of_best=0.5,
)
PEF: Final = Vital(
    index=9,
    name="pef",
    codes=("19935-6",),
    unit="L/min",
    units={"cL/s": 0.6},
    group="spirometry",
    impossible=(30.0, 900.0),
    implausible=(None, None),
    floor=10.0,
    side=Side.LOW,
)

VITALS: Final = (
    SYSTOLIC,
    DIASTOLIC,
    HEART_RATE,
    SPO2,
    TEMPERATURE,
    WEIGHT,
    RESPIRATORY_RATE,
    GLUCOSE,
    FEV1,
    PEF,
)
ON_OXYGEN: Final = 64  # added to a vital's index: its series of values taken on supplemental oxygen
BY_CODE: Final[dict[str, Vital]] = {code: vital for vital in VITALS for code in vital.codes}


def series_of(vital: Vital, oxygen_l_min: float | None) -> int:
    """Which series a value belongs to: saturation on oxygen [L/min] says nothing of what is normal on room air."""
    return vital.index + ON_OXYGEN if vital is SPO2 and oxygen_l_min else vital.index


def of_series(index: int) -> Vital:
    """The vital of a series."""
    return VITALS[index % ON_OXYGEN]


def name_of_series(index: int) -> str:
    """What a series is called."""
    name = of_series(index).name
    return f"{name}_on_oxygen" if index >= ON_OXYGEN else name


def factor(vital: Vital, unit: str) -> float | None:
    """What a value in `unit` is multiplied by to be in the vital's own unit; None for an unknown unit."""
    return 1.0 if unit == vital.unit else vital.units.get(unit)


def converted(value: float, scale: float) -> float:
    """`value` in the vital's own unit, to `DIGITS` decimals: 40,300 g is 40.3 kg, though not in binary."""
    return value if scale == 1.0 else round(value * scale, DIGITS)
