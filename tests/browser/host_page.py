"""A site of somebody else that carries the chat: another origin, a strict policy of its own."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>Shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<script async src="{product}/widget/loader.js" data-site="{site}"></script></head>
<body><main><h1>Shop</h1><p><a href="#goods" id="link">Goods</a></p></main></body></html>"""


@contextlib.contextmanager
def serving(product):
    """The host's origin; its page is at /?site=KEY&lang=ru. By the name `localhost` it is another site too, not just another origin."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            query = dict(part.split("=") for part in self.path.partition("?")[2].split("&") if "=" in part)
            body = PAGE.format(product=product, site=query.get("site", "shop"), lang=query.get("lang", "ru")).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header(
                "Content-Security-Policy", f"default-src 'none'; script-src {product}; style-src {product}; frame-src {product}"
            )
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
