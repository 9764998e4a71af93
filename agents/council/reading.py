"""The council's file: a JSON object of `schemas.council.Council`. It holds no secret and no patient."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from agents.settings import SettingsError
from schemas.codec import Codec, UnreadableError
from schemas.council import OF_QUESTIONNAIRE, Council

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from schemas.council import Followed, Indicator

_FILE: Final = Codec[Council](Council)


class CouncilError(SettingsError):
    """The council's file cannot be used: one line that names every wrong field."""


def load_council(path: Path, services: Collection[str] = ()) -> Council:
    """Read and check the council's file.

    Parameters
    ----------
    services
        Those that there are; none: the services file is not known, and any name is taken.

    Raises
    ------
    CouncilError
        It cannot be read, or says what contradicts itself: every fault, by its field.
    """
    try:
        council = _FILE.decode(path.read_bytes())
    except OSError as error:
        raise CouncilError(f"{path.name}: cannot be read ({type(error).__name__}): check path and rights") from None
    except UnreadableError as error:
        raise CouncilError(f"{path.name}: {f'{error.field}: ' if error.field else ''}{error.problem}") from None
    faults = list(faults_of(council, services))
    if faults:
        raise CouncilError(f"{path.name}: {'; '.join(faults)}")
    return council


def faults_of(council: Council, services: Collection[str] = ()) -> Iterator[str]:
    """The fields that contradict others, each as `field: what to do`."""
    for name, followed in council.services.items():
        if services and name not in services:
            yield f"services.{name}: is no service: {', '.join(sorted(services))}"
        yield from (f"services.{name}.{fault}" for fault in _of_followed(followed))
    for name, one in council.questionnaires.items():
        if len(set(one.items)) < len(one.items):
            yield f"questionnaires.{name}.items: names a question twice"
    for name, indicator in council.indicators.items():
        yield from (f"indicators.{name}.{fault}" for fault in _of_indicator(indicator, council, services))


def _of_followed(followed: Followed) -> Iterator[str]:
    for place, (one, then) in enumerate(pairwise(followed.targets), start=1):
        if then.from_day <= one.from_day:
            yield f"targets[{place}].from: must be later than that of the target before"
    for place, nurses in enumerate(followed.nurses):
        if nurses.to_day <= nurses.from_day:
            yield f"nurses[{place}].to: must be later than from"
    for place, (one_, then_) in enumerate(pairwise(followed.nurses), start=1):
        if then_.from_day < one_.to_day:
            yield f"nurses[{place}].from: must not be before the end of the nurses before"


def _of_indicator(one: Indicator, council: Council, services: Collection[str]) -> Iterator[str]:
    if one.measure in OF_QUESTIONNAIRE and one.questionnaire is None:
        yield f"questionnaire: must say of which {one.measure} is"
    if one.measure not in OF_QUESTIONNAIRE and one.questionnaire is not None:
        yield f"questionnaire: {one.measure} is of none"
    if one.questionnaire is not None and one.questionnaire not in council.questionnaires:
        yield f"questionnaire: {one.questionnaire} is not among the questionnaires"
    if one.service is not None and services and one.service not in services:
        yield f"service: is no service: {', '.join(sorted(services))}"
