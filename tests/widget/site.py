"""A customer's page on another origin, with the manners of real ones: hostile CSS and a strict policy."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from .host import BUILT

NONCE = "r4nd0m"

HOSTILE_CSS = """
* { all: unset !important; display: inline !important; font-size: 40px !important }
* { letter-spacing: 9px !important; color: red !important; background: lime !important }
div, button, header, p, ul, li { display: none !important }
html { font-size: 62.5% } body { transform: scale(0.5); filter: blur(2px); overflow: hidden; height: 100vh }
netvexa-widget, :host { display: none !important; opacity: 0 !important; position: static !important }
textarea, input, svg { width: 1px !important; visibility: hidden !important }
"""
PLAIN_CSS = "body { font: 16px/1.6 system-ui, sans-serif; margin: 0; color: #223; background: #fff }"


def integrity() -> str:
    """The hash of the loader, as the build tells it."""
    manifest = json.loads((BUILT / "manifest.json").read_text())
    return str(manifest["files"][manifest["loader"]]["integrity"])


def policy(host: str, sockets: str, *, scripts: str) -> str:
    """What a careful site sends: scripts by nonce or hash, alone or with what they load, and Trusted Types."""
    source = {
        "nonce": f"'nonce-{NONCE}'",
        "strict": f"'nonce-{NONCE}' 'strict-dynamic'",
        "hash": f"'{integrity()}' 'strict-dynamic'",
    }[scripts]
    return (
        f"default-src 'none'; script-src {source}; style-src 'nonce-{NONCE}'; img-src 'self'; "
        f"connect-src {host} {sockets}; base-uri 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


class Site:
    """Serves one page; `query` of the address chooses its manners."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.sockets = host.replace("http", "ws")
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                wish = {key: values[0] for key, values in parse_qs(url.query, keep_blank_values=True).items()}
                body = site.page(wish).encode() if url.path == "/" else b""
                self.send_response(200 if url.path == "/" else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                if "csp" in wish:
                    self.send_header(
                        "Content-Security-Policy", policy(site.host, site.sockets, scripts=wish["csp"])
                    )
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """The tests' output is for the tests."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://localhost:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def page(self, wish: dict[str, str]) -> str:
        """`hostile`, `twice`, `plain` (a tag whose address names no agent): switches.

        `csp`, `lang`, `agent`, `attrs`, `head`: texts for page and tag.
        """
        style = HOSTILE_CSS if "hostile" in wish else PLAIN_CSS
        agent = wish.get("agent", "nv_demo_agent")
        query = "" if "plain" in wish else f"?agent={agent}"
        trust = f'nonce="{NONCE}"'
        if wish.get("csp") == "hash":
            trust = f'integrity="{integrity()}" crossorigin="anonymous"'
        tag = (
            f'<script async {trust} src="{self.host}/widget/v1/netvexa.min.js{query}" '
            f'data-agent-id="{agent}" {wish.get("attrs", "")}></script>'
        )
        return f"""<!doctype html>
<html lang="{wish.get("lang", "en")}" {wish.get("html", "")}>
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>A shop</title><style nonce="{NONCE}">{style}</style>
{wish.get("head", "")}{tag}{tag if "twice" in wish else ""}</head>
<body><main><h1>A shop</h1><p>Good things at fair prices.</p><a href="#more">More</a></main></body></html>"""

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
