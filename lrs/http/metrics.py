"""What Prometheus may ask an application. Each application has a registry of its own."""

from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from lrs import __version__
from lrs.http.answers import bytes_answer

# Seconds. From a read of one statement to a batch on a busy disk.
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """Requests by method, route and status: how many, and how long they took in seconds."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "lrs_http_request_seconds", "Requests answered, by duration", ["method", "route", "status"],
            buckets=BUCKETS_S, registry=self.registry,
        )
        self._series: dict[tuple[str, str, int], Histogram] = {}
        Gauge("lrs_info", "The running version", ["version"], registry=self.registry).labels(__version__).set(1)

    def count(self, method: str, route: str, status: int, duration_s: float) -> None:
        """One request more. Methods that HTTP does not have share one label, as clients may invent any number."""
        known = method if method in hdrs.METH_ALL else "other"
        # Routes and statuses are few, and finding the series anew costs four times what counting does.
        series = self._series.get((known, route, status))
        if series is None:
            series = self._series[known, route, status] = self.requests.labels(known, route, str(status))
        series.observe(duration_s)


METRICS = web.AppKey("metrics", Metrics)


async def get_metrics(request: web.Request) -> web.Response:
    """GET /metrics: of this process."""
    return bytes_answer(generate_latest(request.config_dict[METRICS].registry), CONTENT_TYPE_LATEST)
