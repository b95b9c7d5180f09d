"""A TCP proxy that stands where the cloud's network stands: it sees, delays and cuts."""
import socket
import threading

# A launch alternates, so each change of direction begins the next message even under TLS.
FLIGHTS = {
    ("client", 1): "client hello", ("server", 1): "server hello",
    ("client", 2): "hello", ("server", 2): "challenge",
    ("client", 3): "evidence", ("server", 3): "release",
    ("client", 4): "outcome", ("server", 4): "close",
}


class Hold:
    """A place in the dialogue where the proxy waits until it is told to go on."""

    def __init__(self):
        self.reached = threading.Event()
        self._go = threading.Event()
        self.dropped = False

    def forward(self):
        self._go.set()

    def drop(self):
        """Closes the connection instead of forwarding."""
        self.dropped = True
        self._go.set()

    def pass_through(self):
        """Called by the proxy; false when the connection is to be cut."""
        self.reached.set()
        self._go.wait()
        return not self.dropped


class Connection:
    """One proxied connection and how far its dialogue has come."""

    def __init__(self, proxy, client, server):
        self._proxy = proxy
        self._ends = (client, server)
        self._lock = threading.Lock()
        self._counts = {"client": 0, "server": 0}
        self._last = None
        self.flights = []
        for side, source, target in (("client", client, server), ("server", server, client)):
            threading.Thread(target=self._copy, args=(side, source, target), daemon=True).start()

    def _begin(self, side):
        """Notes a change of direction; false when the connection is to be cut."""
        with self._lock:
            if self._last == side:
                return True
            self._last = side
            self._counts[side] += 1
            name = FLIGHTS.get((side, self._counts[side]), "more")
            self.flights.append(name)
        hold = self._proxy.holds.get(name)
        return hold is None or hold.pass_through()

    def _copy(self, side, source, target):
        try:
            while data := source.recv(65536):
                if not self._begin(side):
                    break
                target.sendall(data)
            else:
                target.shutdown(socket.SHUT_WR)
                return
        except OSError:
            pass
        self.close()

    def close(self):
        for end in self._ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()


class Proxy:
    """Listens on a port of its own and forwards to the broker."""

    def __init__(self, port, target_port):
        self.port = port
        self.holds = {}
        self.connections = []
        self.attempts = 0
        self._target = ("127.0.0.1", target_port)
        self._listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.attempts += 1
            try:
                server = socket.create_connection(self._target, 5)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections.append(Connection(self, client, server))

    def hold(self, flight):
        """Makes every connection wait before `flight` (see FLIGHTS)."""
        assert flight in FLIGHTS.values()
        self.holds[flight] = Hold()
        return self.holds[flight]

    def stop(self):
        self._listener.close()
        for hold in self.holds.values():
            hold.drop()
        for connection in self.connections:
            connection.close()
