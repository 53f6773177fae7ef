"""What jobs work with, built once for each worker."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lrs.config import Config
from lrs.erasure import Erasure
from lrs.follow import Follower
from lrs.materialize import Materializer
from lrs.rebuild import Rebuilder
from lrs.store.attachments import Attachments
from lrs.store.cursors import Cursors
from lrs.store.directory import Directory
from lrs.store.jobs import KeptJobs
from lrs.store.keying import Keying
from lrs.store.log import Log
from lrs.store.mongo import Database
from lrs.store.remains import Remains
from lrs.store.removal import Removal
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
    saved: SavedSummaries
    cursors: Cursors
    jobs: KeptJobs
    erasure: Erasure
    watermark: Watermark
    config: Config

    @classmethod
    def of(cls, database: Database, materializers: Mapping[str, Materializer[Any]], config: Config) -> "Services":
        """Put the parts together over one database."""
        def clock() -> datetime:
            return datetime.now(UTC)

        watermark = Watermark(database, clock)
        log = Log(database, watermark, clock, config.write_timeout)
        saved = SavedSummaries(database)
        follower = Follower(database, watermark, log, saved, materializers)
        rebuilder = Rebuilder(database, watermark, saved, follower, materializers)
        attachments = Attachments(database)
        removal = Removal(database, watermark, log, attachments)
        return cls(
            directory=Directory(database, config.secret), materializers=materializers, follower=follower, rebuilder=rebuilder,
            attachments=attachments, saved=saved, cursors=Cursors(database), jobs=KeptJobs(database), watermark=watermark, config=config,
            erasure=Erasure(removal, Remains(database), Keying(database), rebuilder, materializers),
        )
