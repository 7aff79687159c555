"""What can be wrong with a city file, and how it is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from central.offices.city import CityError, read_city
from tests.kit.small_city import TEMPLATE

SMALL = TEMPLATE.format(seats=1)
MELILLA = Path(__file__).parents[3] / "provisioning" / "demo" / "melilla.toml"


def test_the_sample_city_has_five_offices_and_speaks_four_languages() -> None:
    city = read_city(MELILLA.read_text("utf-8"))
    assert [office.id for office in city.offices] == ["centro", "real", "victoria", "palmeras", "industrial"]
    assert len(city.services) == 8
    assert all(set(service.names) == {"es", "en", "fr", "ar"} for service in city.services)
    assert all(len({counter.id for counter in office.counters}) >= 2 for office in city.offices)
    for office in city.offices:
        served = {service for counter in office.counters for service in counter.primary + counter.secondary}
        assert served == set(office.services)
        booked = {service for pool in office.pools for service in pool.services}
        assert booked == set(office.services) - {"informacion"}


@pytest.mark.parametrize(
    "old,new,problem",
    [
        ("[city]", "[city", "is not TOML"),
        ('name = "Prueba"', "", "city: Object missing required field `name`"),
        ('name = "Prueba"', 'name = "Prueba"\ncolour = "blue"', "city: Object contains unknown field `colour`"),
        ('id = "padron"', 'id = "Padrón"', "services[0].id: Expected `str` matching regex"),
        ("duration_min = 20", "duration_min = 0", "services[0].duration_min: Expected `int` >= 1"),
        ("Africa/Ceuta", "Africa/Nowhere", "city.time_zone: 'Africa/Nowhere' is no time zone"),
        (', ar = "السجل"', "", "service padron: names lack ar"),
        ('{ es = "DNI", en = "DNI", fr', '{ es = "DNI", fr', "service viaje: documents lack en"),
        ('id = "viaje"\nseries', 'id = "padron"\nseries', "services: padron stand there twice"),
        ('services = ["padron", "viaje"]\n', 'services = ["padron", "boda"]\n', "office real: services: boda not among"),
        ('primary = ["padron"]', 'primary = ["boda"]', "office centro: counter 1: boda not among the services of the office"),
        ('id = "1", primary', 'id = "1", zone = "b", primary', "office centro: counter 1: b not among the zones"),
        ('name = "Centro"', 'name = "Centro"\nspare_series = "K"', "office centro: spare_series: K is the letter of a service"),
        ("opens = 09:00:00", "opens = 15:00:00", "office centro: hours mon/tue/wed/thu/fri: opens 15:00:00"),
        ("opens = 09:00:00", "opens = 03:00:00", "must be from 04:00:00 on"),
        (', demo_password = "secreta"', "", "office centro: staff ana: give either a verifier or a demo_password"),
        ('["clerk", "supervisor"]', '["king"]', "offices[0].staff[0].roles[0]: Invalid enum value 'king'"),
        (
            'address = "Plaza 1"',
            'address = "Plaza 1"\nexceptions = [{ service_date = 2026-12-24, open = true, opens = 10:00:00 }]',
            "office centro: exception 2026-12-24: give both times or none",
        ),
    ],
)  # fmt: skip
def test_a_bad_file_says_where(old: str, new: str, problem: str) -> None:
    assert old in SMALL
    with pytest.raises(CityError) as error:
        read_city(SMALL.replace(old, new, 1))
    assert any(problem in one for one in error.value.problems), error.value.problems


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(CityError) as error:
        read_city(SMALL.replace("Africa/Ceuta", "Nowhere").replace(', demo_password = "secreta"', ""))
    assert len(error.value.problems) == 4
