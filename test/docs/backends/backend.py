"""A backend guarded by docs/clients/latchkey.py: `backend.py wsgi` on wsgiref, `backend.py asgi` on a small ASGI server."""

import asyncio
import json
import os
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

from latchkey import Latchkey


def guarded(kind, app):
    """One app for each path, since each has a guard with other options."""
    away, hanging = os.environ["AWAY_URL"], os.environ["HANGING_URL"]
    lasting = Latchkey(remember=60)
    rules = {"GET /projects": ["projects:read"], "GET /lasting/files": ["files:read"], "GET /*": ["projects:read"]}
    return {
        path: getattr(guard, kind)(app, rules)
        for path, guard in {
            "/projects": Latchkey(),
            "/remembered": Latchkey(remember=1),
            "/lasting": lasting,
            "/lasting/files": lasting,
            "/hanging": Latchkey(hanging, timeout=0.3),
            "/open": Latchkey(away, allow=True),
            "/stranger": Latchkey(key="fsk_live_nobody", allow=True),
            "/moved": Latchkey(os.environ["MOVED_URL"], allow=True),
        }.items()
    }


def told(key):
    names = ["keyId", "tenantId", "scopes", "externalId"]
    return json.dumps({name: key[name] if key else None for name in names}).encode()


def wsgi_app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [told(environ["latchkey"])]


async def asgi_app(scope, receive, send):
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": told(scope["latchkey"])})


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def serve_wsgi():
    apps = guarded("wsgi", wsgi_app)
    app = lambda environ, start_response: apps[environ["PATH_INFO"]](environ, start_response)
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()


async def serve_asgi():
    apps = guarded("asgi", asgi_app)

    async def answer(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        method, path, _ = head[0].decode().split(" ")
        lines = [line.split(b":", 1) for line in head[1:] if line]
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": [(name.lower(), value.strip()) for name, value in lines],
            "client": writer.get_extra_info("peername"),
        }

        async def send(message):
            if message["type"] == "http.response.start":
                writer.write(b"HTTP/1.1 %d -\r\nconnection: close\r\n" % message["status"])
                writer.writelines(b"%s: %s\r\n" % header for header in message["headers"])
                writer.write(b"\r\n")
            else:
                writer.write(message["body"])

        await apps[path](scope, None, send)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if sys.argv[1] == "wsgi":
    serve_wsgi()
else:
    asyncio.run(serve_asgi())
