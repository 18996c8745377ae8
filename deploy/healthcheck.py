"""Exit code 0 when the Pętla in this container answers: what Docker asks. Python alone, since the image has no curl."""

import http.client
import os
import sys

SECONDS = 4.0  # less than the health check's own timeout


def is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not is_healthy(int(os.environ.get("PETLA_PORT") or 8080)))
