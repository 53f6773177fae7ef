"""Typed keys of what an application carries, and a request.

Handlers and middlewares use `request.app[KEY]`, which is ours while they run, wherever we are mounted; on every request's way it is
the cheaper one. Signal handlers use `request.config_dict[KEY]`: by then `request.app` may be a host's.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from lrs.config import Config
from lrs.dead_letters import DeadLetters
from lrs.events import Events
from lrs.follow import Follower
from lrs.health import Health
from lrs.intake import Intake
from lrs.jobs import Jobs
from lrs.materialize import Materializer
from lrs.oidc import Tokens
from lrs.plugins import Adapter
from lrs.queue import Queue
from lrs.rate_limits import RateLimits
from lrs.store.attachments import Attachments
from lrs.store.directory import Directory
from lrs.store.documents import Documents
from lrs.store.mongo import Database
from lrs.store.native_events import NativeEvents
from lrs.store.references import References
from lrs.store.statements import Statements
from lrs.store.watermark import Watermark
from lrs.summaries import Summaries

CONFIG = web.AppKey("config", Config)
CLOCK: web.AppKey[Callable[[], datetime]] = web.AppKey("clock")
DATABASE = web.AppKey("database", Database)
INTAKE = web.AppKey("intake", Intake)
ATTACHMENTS = web.AppKey("attachments", Attachments)
STATEMENTS = web.AppKey("statements", Statements)
DOCUMENTS = web.AppKey("documents", Documents)
WATERMARK = web.AppKey("watermark", Watermark)
SUMMARIES = web.AppKey("summaries", Summaries)
MATERIALIZERS = web.AppKey("materializers", Mapping[str, Materializer[Any]])
JOBS = web.AppKey("jobs", Jobs)
HEALTH = web.AppKey("health", Health)
FOLLOWER = web.AppKey("follower", Follower)
DIRECTORY = web.AppKey("directory", Directory)
REFERENCES = web.AppKey("references", References)
ADAPTERS = web.AppKey("adapters", Mapping[str, Adapter])
NATIVE_EVENTS = web.AppKey("native_events", NativeEvents)
EVENTS = web.AppKey("events", Events)
DEAD_LETTERS = web.AppKey("dead_letters", DeadLetters)
QUEUE = web.AppKey("queue", Queue)
# Not in every application: bearer tokens and rate limits are there if they are configured.
TOKENS = web.AppKey("tokens", Tokens)
RATE_LIMITS = web.AppKey("rate_limits", RateLimits)

# In a request: the summaries that all reads of its answer are made of, once they have been brought up.
BROUGHT_UP = web.RequestKey("brought_up", Summaries)
