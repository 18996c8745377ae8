"""The same number of processes of each service on one installation; each can be killed and comes back on its port."""

from tests.e2e.processes import Installation

SERVICES = ("ingest", "scoring", "alerts")


class Fleet:
    def __init__(self, installation: Installation, each: int) -> None:
        self._installation = installation
        self.servers = {name: [installation.start(name) for _ in range(each)] for name in SERVICES}

    def urls(self, service: str) -> list[str]:
        return [server.url for server in self.servers[service]]

    def wait_ready(self) -> None:
        for servers in self.servers.values():
            for server in servers:
                server.wait_ready()

    def kill(self, service: str, number: int) -> None:
        self.servers[service][number].kill()

    def start_again(self, service: str, number: int) -> None:
        """Not waited for."""
        port = self.servers[service][number].port
        self.servers[service][number] = self._installation.start(service, port)

    def members(self) -> list[tuple[str, int]]:
        return [(service, number) for service, servers in self.servers.items() for number in range(len(servers))]
