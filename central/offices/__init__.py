"""The city's catalogue: offices, services, hours, holidays, counters, staff and capacity, and the hours of a day."""
