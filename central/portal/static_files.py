"""Style sheets, scripts, fonts."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from central.portal.service import Portal
from central.portal.visit import Incoming


@get("/static/{name:path}")
async def static_file(
    request: Incoming, portal: NamedDependency[Portal], name: FromPath[str], v: FromQuery[str] = ""
) -> Response[bytes]:
    """A file of `ui/static`, or of the portal under `portal/`."""
    reply = portal.assets.reply(
        name,
        version=v,
        accept_encoding=request.headers.get("accept-encoding", ""),
        if_none_match=request.headers.get("if-none-match"),
    )
    headers = {key: value for key, value in reply.headers.items() if key != "content-type"}
    return Response(reply.body, status_code=reply.status, headers=headers, media_type=reply.headers["content-type"])


ROUTES = (static_file,)
