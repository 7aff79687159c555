"""What an office offers, as its edge knows it from the feed: the configuration that decisions read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import msgspec

from sync.messages.feed import Counter, Entity, Holiday, Neighbour, NodeKey, Office, OfficePolicy, Service, WaitModel
from sync.messages.policy import Policy


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """The configuration of one office: a value, replaced as a whole when the feed brings news.

    Args:
        model: what the past weeks say about waiting here; none before central has made one.
        nodes: the node of every office of the city that has one: where people can be sent, and whose slips are believed.
        neighbours: the city's offices as the others know them; city_services: what any of them offers; holidays of the city.
    """

    office: Office
    services: Mapping[str, Service]
    counters: Mapping[str, Counter]
    policies: tuple[OfficePolicy, ...] = ()
    model: WaitModel | None = None
    nodes: Mapping[str, NodeKey] = msgspec.field(default_factory=dict)
    neighbours: Mapping[str, Neighbour] = msgspec.field(default_factory=dict)
    city_services: Mapping[str, Service] = msgspec.field(default_factory=dict)
    holidays: Mapping[date, Holiday] = msgspec.field(default_factory=dict)

    @classmethod
    def of(cls, office: Office, entities: Iterable[Entity]) -> Catalogue:
        """Collect the catalogue from feed entities; services that the office does not offer are left out."""
        entities = list(entities)
        return cls(
            office=office,
            services={e.id: e for e in entities if isinstance(e, Service) and e.id in office.services},
            counters={e.id: e for e in entities if isinstance(e, Counter)},
            neighbours={e.id: e for e in entities if isinstance(e, Neighbour)},
            city_services={e.id: e for e in entities if isinstance(e, Service)},
            holidays={e.day: e for e in entities if isinstance(e, Holiday)},
            nodes={e.office: e for e in entities if isinstance(e, NodeKey)},
            model=max((e for e in entities if isinstance(e, WaitModel)), key=lambda m: m.made_on, default=None),
            policies=tuple(
                sorted((e for e in entities if isinstance(e, OfficePolicy)), key=lambda p: p.effective_from)
            ),
        )

    def policy_on(self, service_date: date) -> Policy:
        """The newest policy that is in force on a service day; the defaults when there is none."""
        in_force = [p.policy for p in self.policies if p.effective_from <= service_date]
        return in_force[-1] if in_force else Policy()

    def zone_of_service(self, service: str) -> str:
        """The zone where a service is called: that of the first counter which serves it, else the office's first."""
        serving = [c for c in self.counters.values() if service in c.primary or service in c.secondary]
        if not serving:
            return self.office.zones[0]
        return min(serving, key=lambda c: (service not in c.primary, c.id)).zone
