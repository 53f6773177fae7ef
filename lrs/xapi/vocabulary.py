"""The verb, activity type and extension IRIs that adapters use, each extension with its unit.

Sources: ADL vocabulary (https://w3id.org/xapi/adl), video profile (https://w3id.org/xapi/video), cmi5
(https://w3id.org/xapi/cmi5), Activity Streams, Tin Can registry, AcrossX, NETC.
"""

# Verbs of ADL.
ANSWERED = "http://adlnet.gov/expapi/verbs/answered"
ASKED = "http://adlnet.gov/expapi/verbs/asked"
ATTEMPTED = "http://adlnet.gov/expapi/verbs/attempted"
ATTENDED = "http://adlnet.gov/expapi/verbs/attended"
COMMENTED = "http://adlnet.gov/expapi/verbs/commented"
COMPLETED = "http://adlnet.gov/expapi/verbs/completed"
EXITED = "http://adlnet.gov/expapi/verbs/exited"
EXPERIENCED = "http://adlnet.gov/expapi/verbs/experienced"
FAILED = "http://adlnet.gov/expapi/verbs/failed"
INITIALIZED = "http://adlnet.gov/expapi/verbs/initialized"
INTERACTED = "http://adlnet.gov/expapi/verbs/interacted"
LAUNCHED = "http://adlnet.gov/expapi/verbs/launched"
LOGGED_IN = "https://w3id.org/xapi/adl/verbs/logged-in"
LOGGED_OUT = "https://w3id.org/xapi/adl/verbs/logged-out"
MASTERED = "http://adlnet.gov/expapi/verbs/mastered"
PASSED = "http://adlnet.gov/expapi/verbs/passed"
PREFERRED = "http://adlnet.gov/expapi/verbs/preferred"
PROGRESSED = "http://adlnet.gov/expapi/verbs/progressed"
REGISTERED = "http://adlnet.gov/expapi/verbs/registered"
RESPONDED = "http://adlnet.gov/expapi/verbs/responded"
RESUMED = "http://adlnet.gov/expapi/verbs/resumed"
SCORED = "http://adlnet.gov/expapi/verbs/scored"
SHARED = "http://adlnet.gov/expapi/verbs/shared"
SUSPENDED = "http://adlnet.gov/expapi/verbs/suspended"
TERMINATED = "http://adlnet.gov/expapi/verbs/terminated"
# The only verb with a meaning to the store itself: its object is the statement that no longer counts.
VOIDED = "http://adlnet.gov/expapi/verbs/voided"

# Verbs of other vocabularies.
ACCESSED = "https://w3id.org/xapi/netc/verbs/accessed"
ASSIGNED = "https://w3id.org/xapi/acrossx/verbs/was-assigned"
BOOKMARKED = "http://id.tincanapi.com/verb/bookmarked"
EVALUATED = "https://w3id.org/xapi/acrossx/verbs/evaluated"
PAUSED = "https://w3id.org/xapi/video/verbs/paused"
PLAYED = "https://w3id.org/xapi/video/verbs/played"
PROCESSED = "https://w3id.org/xapi/dod-isd/verbs/processed"
SEARCHED = "https://w3id.org/xapi/acrossx/verbs/searched"
SEEKED = "https://w3id.org/xapi/video/verbs/seeked"
SELECTED = "http://id.tincanapi.com/verb/selected"
UPLOADED = "https://w3id.org/xapi/netc/verbs/uploaded"
CREATED = "http://activitystrea.ms/create"
DELETED = "http://activitystrea.ms/delete"
REQUESTED = "http://activitystrea.ms/request"
SAVED = "http://activitystrea.ms/save"
SENT = "http://activitystrea.ms/send"

# Activity types of ADL.
ASSESSMENT = "http://adlnet.gov/expapi/activities/assessment"
CMI_INTERACTION = "http://adlnet.gov/expapi/activities/cmi.interaction"
COURSE = "http://adlnet.gov/expapi/activities/course"
FILE = "http://adlnet.gov/expapi/activities/file"
INTERACTION = "http://adlnet.gov/expapi/activities/interaction"
LESSON = "http://adlnet.gov/expapi/activities/lesson"
LINK = "http://adlnet.gov/expapi/activities/link"
MEDIA = "http://adlnet.gov/expapi/activities/media"
MEETING = "http://adlnet.gov/expapi/activities/meeting"
MODULE = "http://adlnet.gov/expapi/activities/module"
OBJECTIVE = "http://adlnet.gov/expapi/activities/objective"
PERFORMANCE = "http://adlnet.gov/expapi/activities/performance"
PROFILE = "http://adlnet.gov/expapi/activities/profile"
QUESTION = "http://adlnet.gov/expapi/activities/question"
SIMULATION = "http://adlnet.gov/expapi/activities/simulation"

# Activity types of other vocabularies.
APPLICATION = "http://activitystrea.ms/application"
ARTICLE = "http://activitystrea.ms/article"
AUDIO = "https://w3id.org/xapi/audio/activity-type/audio"
CERTIFICATE = "https://www.opigno.org/en/tincan_registry/activity_type/certificate"
CHAT_CHANNEL = "http://id.tincanapi.com/activitytype/chat-channel"
CHAT_MESSAGE = "http://id.tincanapi.com/activitytype/chat-message"
EVENT = "http://activitystrea.ms/event"
FLASHCARD_DECK = "https://w3id.org/xapi/flashcards/activity-types/flashcard-deck"
GROUP = "http://activitystrea.ms/group"
LEARNING_PLAN = "https://w3id.org/xapi/acrossx/activities/learning-plan"
RESOURCE = "http://id.tincanapi.com/activitytype/resource"
REWARD = "http://id.tincanapi.com/activitytype/reward"
SCENARIO = "http://id.tincanapi.com/activitytype/scenario"
SCHOOL_ASSIGNMENT = "http://id.tincanapi.com/activitytype/school-assignment"
SEARCH_ENGINE = "https://w3id.org/xapi/acrossx/activities/search-engine"
SERVICE = "http://activitystrea.ms/service"
SURVEY = "http://id.tincanapi.com/activitytype/survey"
TUTOR_SESSION = "http://id.tincanapi.com/activitytype/tutor-session"
VIDEO = "https://w3id.org/xapi/video/activity-type/video"
WEBPAGE = "https://w3id.org/xapi/acrossx/activities/webpage"

# Extensions of the video profile: positions and lengths in seconds, progress 0..1.
VIDEO_COMPLETION_THRESHOLD = "https://w3id.org/xapi/video/extensions/completion-threshold"  # 0..1
VIDEO_LENGTH = "https://w3id.org/xapi/video/extensions/length"  # seconds
VIDEO_PLAYED_SEGMENTS = "https://w3id.org/xapi/video/extensions/played-segments"  # "0[.]12.5[,]20[.]31", seconds
VIDEO_PROGRESS = "https://w3id.org/xapi/video/extensions/progress"  # 0..1
VIDEO_SESSION_ID = "https://w3id.org/xapi/video/extensions/session-id"  # UUID
VIDEO_TIME = "https://w3id.org/xapi/video/extensions/time"  # seconds
VIDEO_TIME_FROM = "https://w3id.org/xapi/video/extensions/time-from"  # seconds
VIDEO_TIME_TO = "https://w3id.org/xapi/video/extensions/time-to"  # seconds

# Extensions of other vocabularies.
ATTEMPT_ID = "http://id.tincanapi.com/extension/attempt-id"  # text
CMI5_PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"  # percent, integer 0..100
CMI5_SESSION_ID = "https://w3id.org/xapi/cmi5/context/extensions/sessionid"  # text

# Attachments.
SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"
