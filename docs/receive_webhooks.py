"""A receiver of webhooks: believes nothing that the secret did not sign just now, and takes each event once."""

import hmac
import json
import os
import sys
import time
from base64 import b64decode, b64encode
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"))
FIVE_MINUTES = 300
seen: set[str] = set()  # a real receiver keeps this where it keeps its work


class Receiver(BaseHTTPRequestHandler):
    """Takes messages as Standard Webhooks have them, several beside each other, on connections that stay open."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Check, take once, answer at once; slow work belongs elsewhere."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        event, at = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        wanted = b64encode(hmac.digest(SECRET, f"{event}.{at}.".encode() + body, sha256)).decode()
        given = [one.removeprefix("v1,") for one in self.headers["webhook-signature"].split()]
        fresh = abs(time.time() - int(at)) < FIVE_MINUTES
        if not fresh or not any(hmac.compare_digest(wanted, one) for one in given):
            self.send_error(401)
            return
        if event not in seen:
            seen.add(event)
            print(json.dumps(json.loads(body), ensure_ascii=False), flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing besides."""


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
