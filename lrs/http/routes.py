"""Every path there is, who may use it, and what answers."""

from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from lrs.errors import InvalidParameter
from lrs.http import (
    dead_letters,
    docs,
    documents,
    jobs,
    manage,
    metrics,
    native,
    openapi,
    ops,
    removals,
    reports,
    resources,
    statements,
    transfer,
    upkeep,
)
from lrs.http.auth import (
    CALLER,
    OPEN,
    OPERATOR,
    READS_DEFINITIONS,
    READS_IMPORTS,
    READS_PROFILES,
    READS_REPORTS,
    READS_STATE,
    READS_STATEMENTS,
    WRITES_EVENTS,
    WRITES_PROFILES,
    WRITES_STATE,
    WRITES_STATEMENTS,
    Access,
    Door,
    admit,
)
from lrs.http.headers import DEFAULT_VERSION, VERSION, version_of
from lrs.http.keys import CONFIG, DIRECTORY
from lrs.plugins import Adapter

TENANT_PREFIX = "/t/{tenant}"
TENANTS = "/manage/tenants"
TENANT = TENANTS + "/{tenant}"
ADAPTER = TENANT + "/adapters/{adapter}"
JOB = TENANT + "/jobs/{job}"
DEAD_LETTERS = TENANT + "/dead-letters"
DEAD_LETTER = DEAD_LETTERS + "/{adapter}/{received}"
STATE = "/xapi/activities/state"
ACTIVITY_PROFILE = "/xapi/activities/profile"
AGENT_PROFILE = "/xapi/agents/profile"


@dataclass(frozen=True)
class Row:
    """One method of one path. GET answers HEAD too."""

    method: str
    path: str
    handler: Handler
    access: Access

    @property
    def versioned(self) -> bool:
        """Whether a request must name an xAPI version: everywhere but at /about (Communication 2.8)."""
        return self.path.startswith("/xapi/") and self.access.door is Door.CALLER

    @property
    def paths(self) -> tuple[str, ...]:
        """The path, and below the prefix that names a tenant, where it is a tenant's at all."""
        of_a_tenant = self.path.startswith("/xapi/") or self.access.door is Door.CALLER
        return (self.path, TENANT_PREFIX + self.path) if of_a_tenant else (self.path,)


ROWS = (
    Row("GET", "/xapi/about", resources.get_about, OPEN),
    Row("GET", "/xapi/statements", statements.get_statements, READS_STATEMENTS),
    Row("PUT", "/xapi/statements", statements.put_statement, WRITES_STATEMENTS),
    Row("POST", "/xapi/statements", statements.post_statements, WRITES_STATEMENTS),
    Row("GET", "/xapi/activities", resources.get_activities, READS_DEFINITIONS),
    Row("GET", "/xapi/agents", resources.get_agents, READS_DEFINITIONS),
    Row("GET", STATE, documents.STATES.get, READS_STATE),
    Row("PUT", STATE, documents.STATES.put, WRITES_STATE),
    Row("POST", STATE, documents.STATES.post, WRITES_STATE),
    Row("DELETE", STATE, documents.STATES.delete, WRITES_STATE),
    Row("GET", ACTIVITY_PROFILE, documents.ACTIVITY_PROFILES.get, READS_PROFILES),
    Row("PUT", ACTIVITY_PROFILE, documents.ACTIVITY_PROFILES.put, WRITES_PROFILES),
    Row("POST", ACTIVITY_PROFILE, documents.ACTIVITY_PROFILES.post, WRITES_PROFILES),
    Row("DELETE", ACTIVITY_PROFILE, documents.ACTIVITY_PROFILES.delete, WRITES_PROFILES),
    Row("GET", AGENT_PROFILE, documents.AGENT_PROFILES.get, READS_PROFILES),
    Row("PUT", AGENT_PROFILE, documents.AGENT_PROFILES.put, WRITES_PROFILES),
    Row("POST", AGENT_PROFILE, documents.AGENT_PROFILES.post, WRITES_PROFILES),
    Row("DELETE", AGENT_PROFILE, documents.AGENT_PROFILES.delete, WRITES_PROFILES),
    Row("POST", native.DOOR, native.post_events, WRITES_EVENTS),
    Row("GET", native.IMPORT, native.get_import, READS_IMPORTS),
    Row("GET", "/reports/progress", reports.get_progress, READS_REPORTS),
    Row("GET", "/reports/progress/courses", reports.get_course_progress, READS_REPORTS),
    Row("GET", "/reports/activities", reports.get_activities, READS_REPORTS),
    Row("GET", "/reports/courses", reports.get_courses, READS_REPORTS),
    Row("GET", "/reports/daily", reports.get_daily, READS_REPORTS),
    Row("GET", "/reports/mastery", reports.get_mastery, READS_REPORTS),
    Row("GET", TENANTS, manage.get_tenants, OPERATOR),
    Row("GET", TENANT, manage.get_tenant, OPERATOR),
    Row("PUT", TENANT, manage.put_tenant, OPERATOR),
    Row("DELETE", TENANT, manage.delete_tenant, OPERATOR),
    Row("GET", TENANT + "/credentials", manage.get_credentials, OPERATOR),
    Row("POST", TENANT + "/credentials", manage.post_credential, OPERATOR),
    Row("DELETE", TENANT + "/credentials/{key}", manage.delete_credential, OPERATOR),
    Row("GET", ADAPTER + "/settings", manage.get_settings, OPERATOR),
    Row("PUT", ADAPTER + "/settings", manage.put_settings, OPERATOR),
    Row("PUT", ADAPTER + "/reference/{name}", manage.put_reference, OPERATOR),
    Row("GET", TENANT + "/mastery-rules", reports.get_rules, OPERATOR),
    Row("PUT", TENANT + "/mastery-rules", reports.put_rules, OPERATOR),
    Row("POST", TENANT + "/settle", upkeep.post_settle, OPERATOR),
    Row("POST", TENANT + "/rebuild", upkeep.post_rebuild, OPERATOR),
    Row("POST", TENANT + "/verify", upkeep.post_verify, OPERATOR),
    Row("POST", TENANT + "/erase", removals.post_erase, OPERATOR),
    Row("GET", TENANT + "/retention", removals.get_retention, OPERATOR),
    Row("PUT", TENANT + "/retention", removals.put_retention, OPERATOR),
    Row("POST", TENANT + "/retain", removals.post_retain, OPERATOR),
    Row("GET", TENANT + "/leftovers", upkeep.get_leftovers, OPERATOR),
    Row("DELETE", TENANT + "/leftovers/{edition}", upkeep.delete_leftover, OPERATOR),
    Row("GET", TENANT + "/jobs", jobs.get_jobs, OPERATOR),
    Row("GET", JOB, jobs.get_job, OPERATOR),
    Row("POST", JOB + "/cancel", jobs.post_cancel, OPERATOR),
    Row("POST", JOB + "/retry", jobs.post_retry, OPERATOR),
    Row("GET", TENANT + "/export", transfer.get_export, OPERATOR),
    Row("POST", TENANT + "/import", transfer.post_import, OPERATOR),
    Row("GET", DEAD_LETTERS, dead_letters.get_dead_letters, OPERATOR),
    Row("GET", TENANT + "/native-events/{statement}", dead_letters.get_events_behind, OPERATOR),
    Row("GET", DEAD_LETTER, dead_letters.get_dead_letter, OPERATOR),
    Row("POST", DEAD_LETTER + "/retry", dead_letters.post_retry, OPERATOR),
    Row("POST", DEAD_LETTERS + "/replay", dead_letters.post_replay, OPERATOR),
    Row("POST", ADAPTER + "/retranslate", dead_letters.post_retranslate, OPERATOR),
    Row("GET", "/manage/adapters", manage.get_adapters, OPERATOR),
    Row("GET", "/manage/status", upkeep.get_status, OPERATOR),
    Row("GET", "/manage/doctor", upkeep.get_doctor, OPERATOR),
    Row("GET", "/openapi.json", openapi.get_openapi, OPEN),
    Row("GET", "/docs", docs.get_docs, OPEN),
    Row("GET", "/healthz", ops.get_healthz, OPEN),
    Row("GET", "/readyz", ops.get_readyz, OPEN),
    Row("GET", "/metrics", metrics.get_metrics, OPEN),
)


def add_routes(app: web.Application, adapters: Iterable[Adapter]) -> None:
    """Serve the table, and every adapter's own paths where its vendor has them and below the prefix."""
    adapters = tuple(adapters)
    app[openapi.DESCRIPTION] = openapi.Description(ROWS, adapters)
    for row in ROWS:
        entered = _entered(row)
        for path in row.paths:
            _add(app, row.method, path, entered)
    for adapter in adapters:
        for route in adapter.routes:
            _add(app, route.method, route.path, route.handler)
            _add(app, route.method, TENANT_PREFIX + route.path, route.handler)


def _add(app: web.Application, method: str, path: str, handler: Handler) -> None:
    if method == "GET":
        app.router.add_get(path, handler)
    else:
        app.router.add_route(method, path, handler)


def _entered(row: Row) -> Handler:
    """The handler behind its door."""
    if row.access.door is Door.OPEN:
        return row.handler

    async def enter(request: web.Request) -> web.StreamResponse:
        await admit(request, row.access)
        if row.versioned:
            await _choose_version(request)
        return await row.handler(request)

    return enter


async def _choose_version(request: web.Request) -> None:
    """The version the request names; one that names none is refused under its tenant's default. Raises InvalidParameter."""
    try:
        request[VERSION] = version_of(request)
    except InvalidParameter:
        directory, config = request.config_dict[DIRECTORY], request.config_dict[CONFIG]
        request[DEFAULT_VERSION] = await directory.default_version(request[CALLER].tenant) or config.xapi_default_version
        raise
