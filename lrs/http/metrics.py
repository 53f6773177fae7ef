"""What Prometheus may ask an application. Each application has a registry of its own."""

from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from lrs import __version__
from lrs.health import Condition
from lrs.http.answers import bytes_answer
from lrs.http.keys import HEALTH
from lrs.store.jobs import STATES

UNKNOWN = float("nan")

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
        self._lag = self._gauge("lrs_follow_lag_seconds", "Age of the oldest statement that some summary may not reflect yet")
        self._lagging = self._gauge("lrs_follow_lagging_tenants", "Tenants with such statements")
        self._workers = self._gauge("lrs_workers", "Workers that are there")
        self._swept = self._gauge("lrs_sweep_age_seconds", "Time since the last sweep")
        self._jobs = Gauge("lrs_jobs", "Jobs by state", ["state"], registry=self.registry)
        self._kinds = self._of_kinds("lrs_jobs_by_kind", "Jobs by kind and state", "state")
        self._oldest = self._of_kinds("lrs_jobs_oldest_waiting_seconds", "For how long the oldest job that waits has done so, by kind")
        self._last = self._of_kinds("lrs_jobs_last_run_seconds", "How long the last job took that was done, by kind")
        self._series: dict[tuple[str, str, int], Histogram] = {}
        Gauge("lrs_info", "The running version", ["version"], registry=self.registry).labels(__version__).set(1)

    def _gauge(self, name: str, what: str) -> Gauge:
        gauge = Gauge(name, what, registry=self.registry)
        gauge.set(UNKNOWN)
        return gauge

    def _of_kinds(self, name: str, what: str, *more: str) -> Gauge:
        return Gauge(name, what, ["kind", *more], registry=self.registry)

    def tell(self, now: Condition | None) -> None:
        """How it goes, over all processes; None: nobody can tell."""
        self._lag.set(now.lag_s if now else UNKNOWN)
        self._lagging.set(now.lagging if now else UNKNOWN)
        self._workers.set(len(now.workers.alive) if now else UNKNOWN)
        self._swept.set(UNKNOWN if now is None or now.workers.swept_s_ago is None else now.workers.swept_s_ago)
        for state in STATES:
            self._jobs.labels(state).set(now.jobs[state] if now else UNKNOWN)
        for gauge in (self._kinds, self._oldest, self._last):
            gauge.clear()  # which kinds there are, is told anew
        for kind, told in now.kinds.items() if now else ():
            for state, count in told.states.items():
                self._kinds.labels(kind, state).set(count)
            self._oldest.labels(kind).set(told.oldest_waiting_s)
            if told.last_run_s is not None:
                self._last.labels(kind).set(told.last_run_s)

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
    """GET /metrics: requests of this process, and how it goes over all."""
    request.config_dict[METRICS].tell(await request.config_dict[HEALTH].now())
    return bytes_answer(generate_latest(request.config_dict[METRICS].registry), CONTENT_TYPE_LATEST)
