"""A citizen without script: reads pages, follows links, fills in forms as they stand there and sends them."""

from __future__ import annotations

from html.parser import HTMLParser
from types import TracebackType
from urllib.parse import urljoin

import httpx

from tests.kit.plain_http import NO_TLS


class Form:
    """A form as the page offers it: its address and its fields with the values they have."""

    def __init__(self, method: str, action: str) -> None:
        self.method = method
        self.action = action
        self.fields: list[tuple[str, str]] = []
        self.choices: dict[str, list[str]] = {}
        self.buttons: list[tuple[str, str, str]] = []


class Document(HTMLParser):
    """What a person finds on a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.title = self.lang = self.direction = ""
        self.text: list[str] = []
        self._form: Form | None = None
        self._in: list[str] = []
        self._select = ""
        self._button: tuple[str, str] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        match tag:
            case "html":
                self.lang, self.direction = values.get("lang", ""), values.get("dir", "")
            case "form":
                self._form = Form(values.get("method", "get"), values.get("action", ""))
                self.forms.append(self._form)
            case "a":
                self.links.append(values.get("href", ""))
            case "title" | "script" | "style" | "option":
                self._in.append(tag)
            case _:
                pass
        if self._form is not None:
            self._control(self._form, tag, values)

    def _control(self, form: Form, tag: str, values: dict[str, str]) -> None:
        name = values.get("name", "")
        if tag == "input" and name:
            kind = values.get("type", "text")
            if kind in {"radio", "checkbox"}:
                form.choices.setdefault(name, []).append(values.get("value", ""))
            if kind not in {"radio", "checkbox"} or "checked" in values:
                form.fields.append((name, values.get("value", "")))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            form.choices.setdefault(self._select, []).append(values.get("value", ""))
            if "selected" in values:
                form.fields.append((self._select, values.get("value", "")))
        elif tag == "button" and values.get("type", "submit") == "submit":
            form.buttons.append((name, values.get("value", ""), ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""
        elif self._in and self._in[-1] == tag:
            self._in.pop()

    def handle_data(self, data: str) -> None:
        if "title" in self._in:
            self.title += data
        elif not self._in and data.strip():
            self.text.append(" ".join(data.split()))

    @property
    def words(self) -> str:
        return " ".join(self.text)

    def form(self, action: str = "") -> Form:
        return next(form for form in self.forms if form.method == "post" and action in form.action)


class Citizen:
    """A browser with cookies and nothing else. ``page`` is what it shows, ``reply`` how it came."""

    def __init__(self, address: str, language: str = "es") -> None:
        self.client = httpx.AsyncClient(
            verify=NO_TLS,
            base_url=address,
            headers={"accept-language": language, "accept": "text/html"},
            follow_redirects=True,
        )
        self.reply = httpx.Response(200)
        self.page = Document("")

    def tab(self) -> Citizen:
        """Another tab of this browser: the same cookies, a page of its own."""
        other = Citizen(str(self.client.base_url))
        other.client = self.client
        return other

    async def __aenter__(self) -> Citizen:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.aclose()

    @property
    def path(self) -> str:
        return self.reply.url.path

    async def open(self, path: str) -> Document:
        return self._show(await self.client.get(path))

    async def send(self, action: str = "", **values: str | list[str]) -> Document:
        """Send the form of this page with some fields filled in; underscores in front name a pressed button."""
        return self._show(await self.post(self.page.form(action), values))

    async def post(self, form: Form, values: dict[str, str | list[str]]) -> httpx.Response:
        fields: dict[str, str | list[str]] = {}
        for name, value in form.fields:
            known = fields.get(name)
            fields[name] = value if known is None else [*([known] if isinstance(known, str) else known), value]
        return await self.client.post(urljoin(str(self.reply.url), form.action), data={**fields, **values})

    def _show(self, reply: httpx.Response) -> Document:
        self.reply, self.page = reply, Document(reply.text)
        return self.page
