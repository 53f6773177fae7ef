"""The application: the one place where the parts meet."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime

import structlog
from aiohttp import web

from lrs.config import Config
from lrs.dead_letters import DeadLetters
from lrs.events import Events
from lrs.follow import Follower
from lrs.health import Health
from lrs.http import keys
from lrs.http.access import access_parts
from lrs.http.alternate import alternate_syntax
from lrs.http.cors import answer_preflights, page_opener
from lrs.http.errors import answer_errors, shape_expectation
from lrs.http.headers import stamper
from lrs.http.logs import observe
from lrs.http.metrics import METRICS, Metrics
from lrs.http.ops import LIFE, Life, count_under_way, start_draining
from lrs.http.pace import keep_pace
from lrs.http.routes import add_routes
from lrs.intake import Intake
from lrs.jobs import Jobs
from lrs.plugins import Adapter, load_adapters, load_materializers
from lrs.queue import Queue
from lrs.store.attachments import Attachments
from lrs.store.directory import Directory
from lrs.store.documents import Documents
from lrs.store.heartbeats import Heartbeats
from lrs.store.jobs import KeptJobs
from lrs.store.log import Log
from lrs.store.mongo import Database
from lrs.store.native_events import NativeEvents
from lrs.store.references import References
from lrs.store.statements import Statements
from lrs.store.summaries import SavedSummaries
from lrs.store.watermark import Watermark
from lrs.summaries import Summaries

logger = structlog.get_logger(__name__)


def create_app(config: Config, *, clock: Callable[[], datetime] | None = None) -> web.Application:
    """A new application, to run alone or to mount: `host.add_subapp("/lrs", create_app(config))`.

    It connects when it starts. `clock` gives aware UTC; by default it is the machine's. Raises ConfigurationError if an
    installed adapter does not load.
    """
    app = bare_app(config, clock or _now, load_adapters())
    app.cleanup_ctx.extend((_parts, access_parts))
    return app


def bare_app(config: Config, clock: Callable[[], datetime], adapters: Mapping[str, Adapter]) -> web.Application:
    """All paths, and none of the parts behind them: those are expected under the keys of `lrs.http.keys`."""
    middlewares = (count_under_way, observe, answer_errors, answer_preflights, keep_pace, alternate_syntax)
    app = web.Application(middlewares=middlewares, client_max_size=config.body_limit)
    app[keys.CONFIG], app[keys.CLOCK], app[keys.ADAPTERS] = config, clock, adapters
    app[METRICS], app[LIFE] = Metrics(), Life()
    app.on_response_prepare.append(shape_expectation)
    app.on_response_prepare.extend((stamper(app), page_opener(app)))
    app.on_shutdown.append(start_draining)
    add_routes(app, adapters.values())
    return app


async def _parts(app: web.Application) -> AsyncIterator[None]:
    """Connect; on the way down, when no request is under way any more, let the intake finish and then disconnect."""
    config, clock, materializers = app[keys.CONFIG], app[keys.CLOCK], load_materializers()
    app[keys.DATABASE] = database = Database.connect(config)
    app[keys.QUEUE] = queue = Queue(config.redis_url)
    try:
        await database.prepare()
        app[keys.WATERMARK] = watermark = Watermark(database, clock)
        await watermark.through()  # so that the first answers know one
        log = Log(database, watermark, clock, config.write_timeout)
        app[keys.INTAKE] = intake = Intake(log, materializers, queue, clock)
        app[keys.ATTACHMENTS] = Attachments(database)
        app[keys.STATEMENTS] = Statements(database, config.page_limit)
        app[keys.DOCUMENTS] = documents = Documents(database, clock)
        app[keys.DIRECTORY] = directory = Directory(database, config.secret, config.authority_home_page)
        app[keys.NATIVE_EVENTS] = native_events = NativeEvents(database, clock)
        app[keys.EVENTS] = events = Events(native_events, intake, documents, directory.life)
        saved = SavedSummaries(database)
        app[keys.FOLLOWER] = follower = Follower(database, watermark, log, saved, materializers)
        app[keys.SUMMARIES] = Summaries(saved, follower, log)
        app[keys.MATERIALIZERS], app[keys.JOBS] = materializers, Jobs(KeptJobs(database), queue, native_events)
        app[keys.HEALTH] = Health(follower, KeptJobs(database), Heartbeats(database), clock)
        app[keys.DEAD_LETTERS] = DeadLetters(native_events, events, directory, app[keys.ADAPTERS])
        app[keys.REFERENCES] = References(database)
        yield
        await _drain(intake, events, config.drain_timeout)
    finally:
        await queue.close()
        database.close()


async def _drain(intake: Intake, events: Events, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await intake.drain()
            await events.drain()
    except TimeoutError:
        logger.warning("intake_not_drained", timeout_s=timeout_s)


def _now() -> datetime:
    return datetime.now(UTC)
