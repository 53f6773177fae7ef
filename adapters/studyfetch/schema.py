"""The settings of this adapter, and what one event looks like to readers of the API's description."""


from marshmallow import EXCLUDE, Schema, fields, validate

from adapters.studyfetch.vocabulary import TYPES
from lrs.adapter_settings import AdapterSettings, absolute_iri, platform_name, time_zone

# Other words for the same two.
ACCEPT, REFUSE = frozenset({"accept", "lenient"}), frozenset({"refuse", "reject", "strict"})


class SettingsSchema(AdapterSettings):
    """Settings of a tenant.

    `home_page` is where users' accounts are, `source_timezone` what a timestamp without offset is in: an IANA name such as
    Europe/Berlin. `unknown_event_types` is "accept", or "refuse".
    """

    home_page = absolute_iri("https://sis.example.edu")
    platform = platform_name("StudyFetch")
    source_timezone = time_zone()
    unknown_event_types = fields.String(load_default="accept", validate=validate.OneOf(sorted(ACCEPT | REFUSE)))


class EventSchema(Schema):
    """One usage event, for the API's description. Only `eventType` is needed; other keys are kept as they came."""

    class Meta:
        unknown = EXCLUDE

    eventType = fields.String(required=True, metadata={"description": f"one of {', '.join(TYPES)}, or a new one"})
    id = fields.Raw(metadata={"description": "text or number; also eventId, _id. An event that comes again under it is not counted again"})
    timestamp = fields.Raw(metadata={"description": "ISO 8601, or a number since the epoch (ms from 10^11 on); also createdAt"})
    userId = fields.Raw(metadata={"description": "text or number, of any form; none: an anonymous event"})
    groupIds = fields.Raw(metadata={"description": "groups of any kind, as an array or one of them; also groupId"})
    resourceId = fields.Raw(metadata={"description": "the material, component, test and so on"})
    organizationId = fields.String()
    metadata = fields.Dict(metadata={"description": "what goes with the type, such as score, maxScore, attemptId, durationSeconds"})
