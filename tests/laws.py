"""What holds for every request to a server, whatever it says."""

import json
import re
from collections.abc import Mapping

from fuzzing import Sent
from served import Answer, Served

SHAPE = {"error", "message", "problems", "request_id"}
# Their vendors' shapes, not ours.
NATIVE = re.compile(rb"(http://[^/]*)?(/t/[^/]*)?/(api|v1|v2\.0|adapters)/")


class Laws:
    """Never a 5xx, always the error shape, nothing stored by what was refused; one method a law, so that they are counted apart."""

    def __init__(self, served: Served, names: Mapping[bytes, bytes] | None = None) -> None:
        """`names` stand in targets for what was not known before."""
        self._served, self._names = served, names or {}
        self._kept = served.kept()

    def hold(self, sent: Sent) -> None:
        """All of it, of a request whose head is sound: an answer must come."""
        target = sent.target
        for name, known in self._names.items():
            target = target.replace(name, known)
        answer = self._served.ask(sent.method, target, sent.headers, sent.body)
        assert answer is not None
        self._check(sent, answer)

    def hold_of_texts(self, sent: Sent) -> None:
        """The same."""
        self.hold(sent)

    def hold_elsewhere(self, sent: Sent) -> None:
        """The same."""
        self.hold(sent)

    def hold_of_parts(self, sent: Sent) -> None:
        """The same."""
        self.hold(sent)

    def hold_of_queries(self, sent: Sent) -> None:
        """The same."""
        self.hold(sent)

    def hold_of_the_description(self, sent: Sent) -> None:
        """The same."""
        self.hold(sent)

    def hold_of_headers(self, sent: Sent) -> None:
        """The same. Here the head may promise more of a body than comes: then the answer is that it is missing."""
        self.hold(sent)

    def _check(self, sent: Sent, answer: Answer) -> None:
        assert answer.status < 500, (sent, answer)
        if answer.status >= 400:
            if sent.method != b"HEAD" and not NATIVE.match(sent.target):
                assert answer.headers["Content-Type"].partition(";")[0] == "application/json", (sent, answer)
                assert json.loads(answer.body).keys() == SHAPE, (sent, answer)
            assert self._served.kept() == self._kept, (sent, answer)
        else:
            self._kept = self._served.kept()
