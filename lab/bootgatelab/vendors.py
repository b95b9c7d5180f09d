"""AMD's and Intel's endorsement services, as a broker asks them, on a port of this machine."""
import http.server
import pathlib
import subprocess
import threading
import urllib.parse

from . import psp
from .processes import run

ISSUERS = {"tcb": "TCB-Info-Issuer-Chain", "identity": "SGX-Enclave-Identity-Issuer-Chain",
           "pckcrl": "SGX-PCK-CRL-Issuer-Chain"}


class Vendors:
    """One server for both; a story says what it holds and whether it answers."""

    def __init__(self):
        self.asked = []
        self.connections = 0
        self.busy = False
        self._documents = {}
        vendors = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """One request."""

            def setup(self):
                vendors.connections += 1
                super().setup()

            def do_GET(self):
                vendors.answer(self)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, request):
        busy = self.busy
        self.asked.append(request.path)
        path = urllib.parse.urlsplit(request.path).path
        body, headers = self._documents.get(path, (None, {}))
        if busy:
            request.send_response(503)
            request.send_header("Retry-After", "1")
            body = b""
        elif body is None:
            request.send_response(404)
            body = b""
        else:
            request.send_response(200)
            for name, value in headers.items():
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def have(self, path, body, **headers):
        self._documents[path] = (body, headers)

    def document(self, path):
        return self._documents[path][0]

    def have_amd(self, home, *faults):
        """What AMD's service says of the simulated chip in `home`."""
        state = psp.state(home)
        product = state["product"]
        self.have(f"/vcek/v1/{product}/{state['chip_id']}", (home / "vcek.der").read_bytes())
        self.have(f"/vcek/v1/{product}/cert_chain", pem(home / "ask.der") + pem(home / "ark.der"))
        revoked = home.parent / f"{home.name}.crl"
        run([psp.TOOL, "crl", "--dir", home, "--out", revoked,
             *(word for fault in faults for word in ("--fault", fault))])
        self.have(f"/vcek/v1/{product}/crl", revoked.read_bytes())

    def have_intel(self, machine, folder, *faults):
        """What Intel's service says of a simulated TDX machine; `folder` is for its documents."""
        machine.publish(folder, *faults)
        intel = pathlib.Path(folder) / "intel"
        fmspc = machine.state["fmspc"]
        for path, name, header in (
                ("/tdx/certification/v4/tcb", f"tdx/{fmspc}/tcb_info.json", "tcb"),
                ("/tdx/certification/v4/qe/identity", "tdx/qe_identity.json", "identity"),
                ("/sgx/certification/v4/pckcrl", "pck_crl_platform.der", "pckcrl")):
            issuers = urllib.parse.quote((intel / f"{name}.issuers").read_text())
            self.have(path, (intel / name).read_bytes(), **{ISSUERS[header]: issuers})
        self.have("/IntelSGXRootCA.der", (intel / "root_ca_crl.der").read_bytes())

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


def pem(path):
    return subprocess.run(["openssl", "x509", "-inform", "DER", "-in", path], check=True,
                          stdout=subprocess.PIPE).stdout
