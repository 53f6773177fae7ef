"""No read of a process goes back behind what the process knows to have happened, whichever member of the replica set answers it.

Majority reads alone do not give that. A primary that was just elected may not know yet that what its forerunner acknowledged is
safe with a majority, and one that was replaced while it was paused may not know yet that it was: both answer with what was before.
"""

import threading
from typing import Any

from bson.timestamp import Timestamp
from pymongo.monitoring import (
    ServerHeartbeatFailedEvent,
    ServerHeartbeatListener,
    ServerHeartbeatStartedEvent,
    ServerHeartbeatSucceededEvent,
)
from pymongo.read_concern import ReadConcern


class MajorityAfter(ReadConcern):
    """Read concern "majority", and not before the latest time that was learnt: a member that is not there yet waits until it is.

    The server names its times by Timestamp: seconds since the epoch, and a number within them.
    """

    def __init__(self) -> None:
        super().__init__("majority")
        self._latest: Timestamp | None = None
        self._lock = threading.Lock()  # the driver tells of elections from threads of its own

    def learn(self, time: Timestamp | None) -> None:
        """Something that must be seen from now on has happened at this time."""
        with self._lock:
            if time is not None and (self._latest is None or time > self._latest):
                self._latest = time

    @property
    def document(self) -> dict[str, Any]:
        """As it goes into each command."""
        latest = self._latest
        return {"level": "majority"} if latest is None else {"level": "majority", "afterClusterTime": latest}


class SnapshotAfter(ReadConcern):
    """Read concern "snapshot": all that one command reads is as it was at one moment, and that not before the latest time learnt."""

    def __init__(self, reads: MajorityAfter) -> None:
        super().__init__("snapshot")
        self._reads = reads

    @property
    def document(self) -> dict[str, Any]:
        """As it goes into each command."""
        return {**self._reads.document, "level": "snapshot"}


class Elections(ServerHeartbeatListener):
    """Learns of each new primary how far its log is: all that its forerunners acknowledged is in there.

    A member says that it leads only after it has caught up and has written that it does. Its log, and not the time that it tells: a
    transaction takes that ahead of the log, and what reads from then on would wait until somebody writes again.
    The driver tells of an answer before it goes by it, so nothing is read from a new primary before this is known.
    """

    def __init__(self, reads: MajorityAfter) -> None:
        self._reads = reads
        self._election: Any = None

    def started(self, event: ServerHeartbeatStartedEvent) -> None:
        """Nothing is known yet."""

    def succeeded(self, event: ServerHeartbeatSucceededEvent) -> None:
        """A member has said who it is."""
        hello = event.reply
        if hello.is_writable and hello.election_id != self._election and "lastWrite" in hello.document:
            self._election = hello.election_id
            self._reads.learn(hello.document["lastWrite"]["opTime"]["ts"])

    def failed(self, event: ServerHeartbeatFailedEvent) -> None:
        """Nothing is known."""
