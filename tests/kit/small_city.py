"""A city of two offices and three services, small enough to know by heart, loaded through the product's own loader."""

from __future__ import annotations

from datetime import UTC, datetime

from central.offices.city import City, read_city

MONDAY_8H = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
"""A Monday, 8:00 in the city, an hour before its offices open; what a test's ManualClock starts at."""

TEMPLATE = """
[city]
name = "Prueba"
time_zone = "Africa/Ceuta"
subdivision = "ML"

[[services]]
id = "padron"
family = "padron"
series = "P"
duration_min = 20
names = {{ es = "Padrón", en = "Register", fr = "Registre", ar = "السجل" }}

[[services]]
id = "viaje"
series = "K"
duration_min = 5
names = {{ es = "Viaje", en = "Travel", fr = "Voyage", ar = "سفر" }}
documents = [{{ es = "DNI", en = "DNI", fr = "DNI", ar = "DNI" }}]

[[services]]
id = "informacion"
series = "N"
duration_min = 5
bookable = false
names = {{ es = "Información", en = "Information", fr = "Information", ar = "معلومات" }}

[[offices]]
id = "centro"
name = "Centro"
address = "Plaza 1"
services = ["padron", "viaje", "informacion"]
hours = [{{ days = ["mon", "tue", "wed", "thu", "fri"], opens = 09:00:00, closes = 14:00:00 }}]
pools = [{{ id = "todo", services = ["padron", "viaje"], slot_min = 10, seats = {seats} }}]
counters = [{{ id = "1", primary = ["padron"], secondary = ["viaje", "informacion"] }}]
staff = [{{ id = "ana", display_name = "Ana", roles = ["clerk", "supervisor"], demo_password = "secreta" }}]

[[offices]]
id = "real"
name = "Real"
address = "Avenida 2"
services = ["padron", "viaje"]
hours = [{{ days = ["mon", "tue", "wed", "thu", "fri"], opens = 09:00:00, closes = 14:00:00 }}]
pools = [{{ id = "todo", services = ["padron", "viaje"], slot_min = 10, seats = {seats} }}]
"""


def small_city(seats: int = 1) -> City:
    """The city with so many seats in every slot."""
    return read_city(TEMPLATE.format(seats=seats))
