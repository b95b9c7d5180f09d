"""A hostile network may delay a boot, never bend it."""
import socket
import ssl
import threading
import time

from ..broker import free_port
from ..certificate import self_signed
from ..guest import BOOT_LIMIT
from ..processes import wait_until
from ..stories import boots, expect, only_launch, said, scenario


class Impostor:
    """A TLS server with a key of its own that counts what clients send it."""

    def __init__(self, directory, port):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_3
        self._context.set_alpn_protocols(["bootgate/1"])
        self._context.load_cert_chain(self_signed(directory / "impostor.pem"))
        self.refusals, self.received = [], b""
        self._listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._greet, args=(client,), daemon=True).start()

    def _greet(self, client):
        try:
            client.settimeout(20)
            with self._context.wrap_socket(client, server_side=True) as session:
                self.received += session.recv(4096)
        except ssl.SSLError as error:
            self.refusals.append(error.reason or str(error))
        except OSError as error:
            self.refusals.append(str(error))
        finally:
            client.close()

    def stop(self):
        self._listener.close()


@scenario("broker-with-another-key", "whoever answers has not the pinned key")
def broker_with_another_key(world):
    port = free_port()
    vm = world.enroll(ports=[port])
    impostor = Impostor(world.directory, port)
    try:
        guest = world.power_on(vm)
        wait_until(
            lambda: len(impostor.refusals) >= 2 or impostor.received or not guest.console.running,
            BOOT_LIMIT, "two refused handshakes")
        guest.judge_panic()
        guest.wait_for(r"bootgate: .*waiting", "the agent to say that it waits")
        expect(not impostor.received, f"the agent sent {len(impostor.received)} bytes")
        expect(len(impostor.refusals) >= 2, "the agent did not come back")
        line = said(guest, "(pin|key)", "that the key is not a pinned one")
        expect(not world.broker.launches(), "the real broker saw a launch")
    finally:
        impostor.stop()
    return f"{len(impostor.refusals)} handshakes refused by the agent, nothing sent: {line}"


@scenario("broker-comes-back", "the broker is down when the VM boots and returns after 20 s")
def broker_comes_back(world):
    vm = world.enroll()
    world.broker.kill()
    guest = world.power_on(vm)
    world.mark("agent", guest.wait_for(r"bootgate: .*asking", "the agent to ask"))
    time.sleep(20)
    expect(guest.console.running, "the guest gave up")
    guest.wait_for(r"bootgate: .*waiting", "the agent to say that it waits for the broker")
    world.broker.start()
    returned = time.monotonic() - guest.console.started
    world.mark("broker returned", returned)
    wait_until(lambda: world.broker.launches(), 60, "the launch after the broker's return")
    world.mark("asked again", time.monotonic() - guest.console.started)
    row = boots(world, guest)
    return f"{row['reference']} unlocked after the broker's return"


@scenario("first-address-dead", "the first of two broker addresses swallows packets")
def first_address_dead(world):
    # slirp answers for no other address of its network, so nothing comes back from it.
    vm = world.enroll(ports=["10.0.2.77:7411", world.broker.port])
    guest = world.power_on(vm)
    row = boots(world, guest)
    return f"{row['reference']} unlocked through the second address"


@scenario("broker-killed-after-release", "the broker dies between RELEASE and OUTCOME")
def broker_killed_after_release(world):
    proxy = world.proxy()
    vm = world.enroll(ports=[proxy.port])
    hold = proxy.hold("outcome")
    guest = world.power_on(vm)
    wait_until(lambda: hold.reached.is_set() or not guest.console.running, BOOT_LIMIT, "OUTCOME")
    expect(hold.reached.is_set(), "the agent sent no outcome")
    # Frozen, so that the ledger can be read before the agent comes back with its proof.
    guest.monitor.command("stop")
    world.broker.kill()
    proxy.holds.clear()
    hold.drop()
    world.broker.start()
    row = only_launch(world, decision="released")
    expect(row["outcome"] == "open", f"after the restart the ledger says {row['outcome']}")
    guest.monitor.command("cont")
    boots(world, guest)
    second = world.power_on(vm)
    wait_until(
        lambda: len(world.broker.launches(outcome="unlocked")) == 2
        or not second.console.running, BOOT_LIMIT, "the next boot")
    expect(len(world.broker.launches(outcome="unlocked")) == 2, "the next boot was not unlocked")
    return f"{row['reference']} open after the restart, unlocked by the late outcome; next boot works"
