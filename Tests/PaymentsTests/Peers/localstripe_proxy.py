"""Runs localstripe behind a proxy that adds what it lacks: PaymentIntent.amount_received.

localstripe is a Stripe server that is not ours, but its PaymentIntents say nothing of the amount received. The proxy adds
it from the intent's own charges; everything else passes unchanged, so that the rule for payments stays as strict as
it is in production.

Usage: BIN/python localstripe_proxy.py
Prints the proxy's port in one line; ends when its standard input does.
"""

import http.client
import http.server
import json
import socket
import subprocess
import sys
import tempfile
import threading
import time


# localstripe keeps its state in one file of /tmp, whoever runs it: ours goes to the run's own directory.
LOCALSTRIPE = """
import builtins, os
import localstripe.server
theirs = builtins.open
def ours(path, *rest, **named):
    return theirs("localstripe.pickle" if path == "/tmp/localstripe.pickle" else path, *rest, **named)
builtins.open = ours
localstripe.server.start()
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def received(intent):
    """The sum of what the intent's successful, captured charges took."""
    charges = (intent.get("charges") or {}).get("data") or []
    return sum(c["amount"] for c in charges if c.get("captured") and c.get("status") == "succeeded")


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream = 0

    def forward(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=30)
        hop_by_hop = ("host", "connection", "content-length", "transfer-encoding")
        headers = {name: value for name, value in self.headers.items() if name.lower() not in hop_by_hop}
        connection.request(self.command, self.path, body or None, headers)
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        try:
            document = json.loads(answer)
        except ValueError:
            document = None
        if isinstance(document, dict) and document.get("object") == "payment_intent":
            document["amount_received"] = received(document)
            answer = json.dumps(document).encode()
        self.send_response(response.status)
        self.send_header("content-type", response.getheader("content-type") or "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_DELETE = forward

    def log_message(self, *arguments):
        pass


def main():
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        server = subprocess.Popen(
            [sys.executable, "-c", LOCALSTRIPE, "--port", str(port), "--from-scratch"], cwd=directory,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 30
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    if server.poll() is not None or time.monotonic() > deadline:
                        sys.exit("localstripe did not start")
                    time.sleep(0.05)
            Proxy.upstream = port
            proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
            threading.Thread(target=proxy.serve_forever, daemon=True).start()
            print(proxy.server_address[1], flush=True)
            sys.stdin.read()
        finally:
            server.kill()
            server.wait()


main()
