"""What every service shows of itself beside its own metrics: the process, the version, and where its traces go."""

import platform
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import CollectorRegistry, Info, ProcessCollector

from shared.tracing import UNTRACED, Tracing

_PACKAGE = "petla"


def new_registry(service: str) -> CollectorRegistry:
    """One a service. Services of one process show the same process."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    Info("petla_build", "What runs here", registry=registry).info(
        {"service": service, "version": _version(), "python": platform.python_version()}
    )
    return registry


def new_tracing(service: str, endpoint: str | None) -> Tracing:
    """Without an endpoint nothing is recorded, and OpenTelemetry is not even imported."""
    if endpoint is None:
        return UNTRACED
    from shared.otlp import OtlpTracing

    return OtlpTracing(service, endpoint)


def _version() -> str:
    try:
        return version(_PACKAGE)
    except PackageNotFoundError:  # run from the sources, not installed
        return "unknown"
