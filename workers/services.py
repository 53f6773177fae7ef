"""What jobs work with, built once for each worker."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lrs.config import Config
from lrs.dead_letters import DeadLetters
from lrs.erasure import Erasure
from lrs.events import Events
from lrs.follow import Follower
from lrs.intake import Intake
from lrs.materialize import Materializer
from lrs.plugins import Adapter
from lrs.queue import Queue
from lrs.rebuild import Rebuilder
from lrs.retranslation import Retranslation
from lrs.store.attachments import Attachments
from lrs.store.departed import Departed
from lrs.store.directory import Directory
from lrs.store.documents import Documents
from lrs.store.jobs import KeptJobs
from lrs.store.keying import Keying
from lrs.store.log import Log
from lrs.store.mongo import Database
from lrs.store.native_events import NativeEvents
from lrs.store.remains import Remains
from lrs.store.removal import Removal
from lrs.store.statements import Statements
from lrs.store.summaries import SavedSummaries
from lrs.store.watermark import Watermark


@dataclass(frozen=True)
class Services:
    """Everything derived is kept up by these."""

    directory: Directory
    materializers: Mapping[str, Materializer[Any]]
    follower: Follower
    rebuilder: Rebuilder
    attachments: Attachments
    statements: Statements
    jobs: KeptJobs
    erasure: Erasure
    watermark: Watermark
    config: Config
    native_events: NativeEvents
    events: Events
    letters: DeadLetters
    retranslation: Retranslation
    departed: Departed

    @classmethod
    def of(
        cls, database: Database, materializers: Mapping[str, Materializer[Any]], config: Config,
        adapters: Mapping[str, Adapter] | None = None, queue: Queue | None = None,
    ) -> "Services":
        """Put the parts together over one database. Without adapters no native events can be interpreted."""
        def clock() -> datetime:
            return datetime.now(UTC)

        watermark = Watermark(database, clock)
        log = Log(database, watermark, clock, config.write_timeout)
        saved = SavedSummaries(database)
        follower = Follower(database, watermark, log, saved, materializers)
        rebuilder = Rebuilder(database, watermark, saved, follower, materializers)
        directory, attachments = Directory(database, config.secret), Attachments(database)
        intake = Intake(log, materializers, queue or Queue(config.redis_url), clock)
        native_events = NativeEvents(database, clock)
        events = Events(native_events, intake, Documents(database, clock), directory.life)
        letters = DeadLetters(native_events, events, directory, adapters or {})
        removal = Removal(database, watermark, log, attachments)
        statements = Statements(database, config.page_limit)
        return cls(
            directory=directory, materializers=materializers, follower=follower, rebuilder=rebuilder, attachments=attachments,
            jobs=KeptJobs(database), watermark=watermark, config=config,
            erasure=Erasure(removal, Remains(database), Keying(database), rebuilder, materializers),
            native_events=native_events, events=events, letters=letters,
            retranslation=Retranslation(native_events, letters, statements, intake), statements=statements,
            departed=Departed(database),
        )
