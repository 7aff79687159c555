"""Who may open which page of the city's own people: every route, every role, and a manager of another office.

``docs/managers.md`` has the table for people; a route that stands in neither fails here.
"""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from litestar.handlers import HTTPRouteHandler

from central.closures import routes as closures
from central.insight import overview, records
from central.retention import routes as retention
from central.staff import audit_routes
from central.staff import routes as staff
from tests.integration.portal.conftest import Bed
from tests.integration.portal.manager import sign_in

DOCS = Path(__file__).parents[3] / "docs" / "managers.md"
FEATURES = {"central.staff", "central.insight", "central.retention", "central.closures", "central.policy"}
OPEN = {
    ("GET", "/personal/entrar"),
    ("POST", "/personal/entrar"),
    ("POST", "/personal/codigo"),
    ("POST", "/personal/salir"),
    ("GET", "/api/v1/overview"),
}
"""Signing in and out, and the figures for programs: for everybody."""
ANY, OWN, CITY = "any", "own", "city"
"""For every manager and admin; for the office's managers and admins; for admins."""
RIGHTS = {
    ("GET", "/oficinas-ahora"): ANY,
    ("GET", "/oficinas-ahora/stream"): ANY,
    ("GET", "/oficinas-ahora/ahora"): ANY,
    ("GET", "/oficina-ahora/{office}"): OWN,
    ("GET", "/oficina-ahora/{office}/stream"): OWN,
    ("GET", "/oficina-ahora/{office}/ahora"): OWN,
    ("GET", "/cambios-de-orden?oficina={office}"): OWN,
    ("GET", "/previsiones?oficina={office}"): OWN,
    ("GET", "/cupos-cedidos"): ANY,
    ("GET", "/incidencias"): ANY,
    ("GET", "/hechos-apartados"): ANY,
    ("GET", "/registro?oficina={office}"): OWN,
    ("GET", "/registro.csv?oficina={office}"): OWN,
    ("GET", "/cierres"): ANY,
    ("GET", "/cierres/{office}"): OWN,
    ("GET", "/cierres/{office}/{run}"): OWN,
    ("POST", "/cierres/{office}/cerrar"): OWN,
    ("POST", "/cierres/{office}/quitar"): OWN,
    ("POST", "/cierres/{office}/mover"): OWN,
    ("GET", "/conservacion"): CITY,
    ("GET", "/conservacion/{kind}"): CITY,
    ("GET", "/normas"): ANY,
    ("GET", "/normas/{office}"): OWN,
    ("GET", "/normas/{office}/cambiar"): OWN,
    ("POST", "/normas/{office}/cambiar"): OWN,
}
REFUSED = {"signed out": {303, 401}, "other": {403}}
HERE = "centro"


def routes(bed: Bed) -> set[tuple[str, str]]:
    """What central answers that belongs to the features of its own people, as the table names it."""
    found: set[tuple[str, str]] = set()
    for route in bed.server._app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if (
                not isinstance(handler, HTTPRouteHandler)
                or ".".join(handler.fn.__module__.split(".")[:2]) not in FEATURES
            ):
                continue
            found |= {(str(method), route.path_format) for method in handler.http_methods if method in {"GET", "POST"}}
    return found


async def test_every_route_of_staff_stands_in_the_table(portal: Bed) -> None:
    known = {(method, path.partition("?")[0]) for method, path in RIGHTS} | OPEN
    there = routes(portal)
    assert there - known == set(), "say whom it is for: here and in docs/managers.md"
    assert there >= {("GET", "/registro"), ("POST", "/cierres/{office}/mover")}
    text = DOCS.read_text(encoding="utf-8")
    assert [path for _, path in known if f"`{path}`" not in text and (_, path) in there] == []


def addressed(path: str) -> str:
    return path.format(office=HERE, run=uuid4(), kind="people")


async def answer(portal: Bed, who: tuple[str, str, str] | None, method: str, path: str) -> int:
    """What a member gets; a form goes without fields, with the token of their pages."""
    async with portal.citizen() as browser:
        if who is not None:
            await sign_in(browser, *who)
        else:
            await browser.open("/personal/entrar")
        if method == "GET":
            async with browser.client.stream("GET", addressed(path), follow_redirects=False) as reply:
                return reply.status_code
        forms = [form for form in browser.page.forms if form.method == "post"]
        token = dict(forms[0].fields).get("_csrf_token", "")
        reply = await browser.client.post(addressed(path), data={"_csrf_token": token}, follow_redirects=False)
        return reply.status_code


@pytest.mark.parametrize("method, path", sorted(RIGHTS))
async def test_every_role_at_every_route(portal: Bed, method: str, path: str) -> None:
    assert (method, path.partition("?")[0]) in routes(portal), "it is no page any more: take it off the table"
    right = RIGHTS[method, path]
    nobody = await answer(portal, None, method, path)
    assert nobody in {303, 401}, "nobody is signed in"
    clerk = await answer(portal, ("centro", "ana", "secreta"), method, path)
    assert clerk in {303, 401}, "a clerk and supervisor cannot sign in here"
    own = await answer(portal, ("centro", "rocio", "secreta"), method, path)
    assert (own == 403) == (right == CITY), own
    other = await answer(portal, ("real", "rocio", "otra"), method, path)
    assert (other == 403) == (right != ANY), other
    admin = await answer(portal, ("centro", "alonso", "secreta"), method, path)
    assert admin not in {401, 403, 500}
    assert {own, other, admin}.isdisjoint({401, 500})


def test_the_modules_of_the_table_are_those_that_answer() -> None:
    for module in (overview, records, closures, retention, audit_routes, staff):
        assert module.__name__.rpartition(".")[0] in FEATURES
