"""What the offices are told of the catalogue: its feed rows, each with the stream it stands on."""

from collections.abc import Iterator

from central.offices.catalogue import Catalogue, OfficeRecord, ServiceRecord
from sync.messages.feed import GLOBAL, Entity, Neighbour, Office, OfficePolicy, Service, office_stream


def entities_of(catalogue: Catalogue) -> Iterator[tuple[str, Entity]]:
    """Every catalogue row as (stream, entity)."""
    for service in catalogue.services.values():
        yield GLOBAL, _service(service)
    for holiday in catalogue.holidays.values():
        yield GLOBAL, holiday
    for office in catalogue.offices.values():
        yield GLOBAL, _neighbour(office)
    for office in catalogue.offices.values():
        for entity in _of_office(office):
            yield office_stream(office.id), entity


def _of_office(office: OfficeRecord) -> Iterator[Entity]:
    yield Office(
        id=office.id,
        name=office.name,
        address=office.address,
        time_zone=office.time_zone,
        services=office.services,
        hours=office.hours,
        exceptions=office.exceptions,
        zones=office.zones,
        spare_series=office.spare_series,
        second_language=office.second_language,
    )
    yield from office.counters
    yield from office.staff
    if office.policy_from not in {one.effective_from for one in office.policies}:  # one row of the feed for a day
        yield OfficePolicy(effective_from=office.policy_from, policy=office.policy)
    yield from office.policies


def _neighbour(office: OfficeRecord) -> Neighbour:
    return Neighbour(
        id=office.id,
        name=office.name,
        address=office.address,
        time_zone=office.time_zone,
        services=office.services,
        hours=office.hours,
        exceptions=office.exceptions,
    )


def _service(service: ServiceRecord) -> Service:
    return Service(
        id=service.id,
        names=service.names,
        series=service.series,
        duration_min=service.duration_min,
        walk_in=service.walk_in,
        documents=service.documents,
        pictogram=service.pictogram,
        sensitive=service.sensitive,
    )
