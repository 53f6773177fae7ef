"""What a statement must be, clause by clause: each case is one rule of the specification, named and cited by its id."""

import pytest
from clauses import Clause, judge
from statement_parts import AGENT, ATTACHMENT, IRI, UUID

ACCOUNT = {"homePage": IRI, "name": "ada"}
MEMBER = [{"mbox": "mailto:bob@school.example.org"}]
INNER = {"objectType": "SubStatement", "actor": AGENT, "verb": {"id": IRI}, "object": {"id": IRI}}
# An object other than an activity has no revision and no platform in its context.
PLAIN = {"context/revision": ..., "context/platform": ...}
ONE, TWO = ("1.0.3",), ("2.0.0",)

FORMATTING = [
    Clause("no value is null", "1.0.3 Data 2.2", broken={"result/response": None}),
    Clause("null is allowed within extensions", "1.0.3 Data 2.2", kept={"result/extensions": {IRI: None}}),
    Clause("null is allowed deep within extensions", "1.0.3 Data 4.1", kept={"context/extensions": {IRI: [{"a": None}]}}),
    Clause("a property that is not defined is refused", "1.0.3 Data 2.2", broken={"mood": "good"}),
    Clause("property names are case sensitive", "1.0.3 Data 2.2", broken={"Timestamp": "2026-03-02T09:14:07Z"}),
    Clause("an objectType is in exactly its case", "1.0.3 Data 2.2", broken={"actor/objectType": "agent"}),
    Clause("an interactionType is in exactly its case", "1.0.3 Data 2.2", broken={"object/definition/interactionType": "Choice"}),
    Clause("an IRI has a scheme", "1.0.3 Data 4.3", broken={"verb/id": "www.example.org/x"}),
    Clause("an IRI need not be a URL", "1.0.3 Data 4.3", kept={"verb/id": "tag:example.org,2026:verb"}),
    Clause("an IRI may hold letters of all languages", "1.0.3 Data 4.3", kept={"verb/id": "https://example.org/動詞"}),
    Clause("an IRI holds no space", "1.0.3 Data 4.3", broken={"verb/id": "https://example.org/a b"}),
    Clause("a key of a language map is a language tag", "RFC 5646; 1.0.3 Data 4.2", broken={"verb/display": {"en_US": "x"}}),
    Clause("a language tag may name a script and a region", "RFC 5646; 1.0.3 Data 4.2", kept={"verb/display": {"zh-Hant-TW": "x"}}),
    Clause("a language tag may be of private use", "RFC 5646; 1.0.3 Data 4.2", kept={"verb/display": {"x-klingon": "x"}}),
    Clause("a text of a language map is a string", "1.0.3 Data 4.2", broken={"verb/display": {"en": 1}}),
    Clause("an empty language map is one", "1.0.3 Data 4.2", kept={"verb/display": {}}),
    Clause("a key of extensions is an IRI", "1.0.3 Data 4.1", broken={"result/extensions": {"score": 1}}),
    Clause("a UUID is in the standard form", "RFC 4122; 1.0.3 Data 4.4", broken={"id": "{" + UUID + "}"}),
    Clause("a UUID may be in upper case", "RFC 4122; 1.0.3 Data 4.4", kept={"id": UUID.upper()}),
]
ACTORS = [
    Clause("an actor is required", "1.0.3 Data 2.4.2", broken={"actor": ...}),
    Clause("an agent without objectType is an Agent", "1.0.3 Data 2.4.2.1", kept={"actor": {"mbox": "mailto:a@b.example"}}),
    Clause("an agent has an identifier", "1.0.3 Data 2.4.2.1", broken={"actor": {"name": "Ada"}}),
    Clause("an agent has one identifier only", "1.0.3 Data 2.4.2.1", broken={"actor/openid": IRI}),
    Clause("a name is a string", "1.0.3 Data 2.4.2.1", broken={"actor/name": ["Ada"]}),
    Clause("an identified group need not say who is in it", "1.0.3 Data 2.4.2.2",
           kept={"actor": {"objectType": "Group", "account": ACCOUNT}}),
    Clause("an anonymous group says who is in it", "1.0.3 Data 2.4.2.2", broken={"actor": {"objectType": "Group", "name": "x"}}),
    Clause("a group has one identifier only", "1.0.3 Data 2.4.2.2",
           broken={"actor": {"objectType": "Group", "openid": IRI, "account": ACCOUNT}}),
    Clause("a group says that it is one", "1.0.3 Data 2.4.2.2", broken={"actor": {"member": MEMBER}}),
    Clause("no group is within a group", "1.0.3 Data 2.4.2.2",
           broken={"actor": {"objectType": "Group", "member": [{"objectType": "Group", "member": MEMBER}]}}),
    Clause("members are a list", "1.0.3 Data 2.4.2.2", broken={"actor": {"objectType": "Group", "member": MEMBER[0]}}),
    Clause("members may stand in any order and more than once", "1.0.3 Data 2.4.2.2",
           kept={"actor": {"objectType": "Group", "member": MEMBER * 2}}),
    Clause("an mbox is a mailto IRI", "1.0.3 Data 2.4.2.3", broken={"actor": {"mbox": "ada@school.example.org"}}),
    Clause("an mbox_sha1sum is 40 hexadecimal digits", "1.0.3 Data 2.4.2.3", broken={"actor": {"mbox_sha1sum": "ab" * 16}}),
    Clause("an mbox_sha1sum stands for an mbox", "1.0.3 Data 2.4.2.3", kept={"actor": {"mbox_sha1sum": "ab" * 20}}),
    Clause("an openid is a URI", "1.0.3 Data 2.4.2.3", broken={"actor": {"openid": "ada"}}),
    Clause("an account has a homePage", "1.0.3 Data 2.4.2.4", broken={"actor": {"account": {"name": "ada"}}}),
    Clause("an account's homePage is an IRL", "1.0.3 Data 2.4.2.4", broken={"actor": {"account": {"homePage": "school", "name": "ada"}}}),
    Clause("an account has a name", "1.0.3 Data 2.4.2.4", broken={"actor": {"account": {"homePage": IRI}}}),
    Clause("an account's name is a string", "1.0.3 Data 2.4.2.4", broken={"actor": {"account": {"homePage": IRI, "name": 7}}}),
    Clause("an account has nothing else", "1.0.3 Data 2.2", broken={"actor": {"account": {**ACCOUNT, "id": 1}}}),
]
VERBS_AND_OBJECTS = [
    Clause("a verb is required", "1.0.3 Data 2.4.3", broken={"verb": ...}),
    Clause("a verb has an id", "1.0.3 Data 2.4.3", broken={"verb": {"display": {"en": "x"}}}),
    Clause("a verb need not have a display", "1.0.3 Data 2.4.3", kept={"verb": {"id": IRI}}),
    Clause("an object is required", "1.0.3 Data 2.4.4", broken={"object": ...}),
    Clause("an object without objectType is an activity", "1.0.3 Data 2.4.4", kept={"object": {"id": IRI}}),
    Clause("an object is one of five kinds", "1.0.3 Data 2.4.4", broken={"object": {"objectType": "Course", "id": IRI}}),
    Clause("an activity has an id", "1.0.3 Data 2.4.4.1", broken={"object": {"objectType": "Activity"}}),
    Clause("moreInfo is an IRL", "1.0.3 Data 2.4.4.1", broken={"object/definition/moreInfo": "more"}),
    Clause("the type of an activity is an IRI", "1.0.3 Data 2.4.4.1", broken={"object/definition/type": "question"}),
    Clause("an interactionType is one of ten", "1.0.3 Data 2.4.4.1", broken={"object/definition/interactionType": "drag"}),
    Clause("correct responses are a list of strings", "1.0.3 Data 2.4.4.1", broken={"object/definition/correctResponsesPattern": [1]}),
    Clause("a pattern of correct responses may be empty", "1.0.3 Data 2.4.4.1", kept={"object/definition/correctResponsesPattern": []}),
    Clause("a component has an id", "1.0.3 Data 2.4.4.1", broken={"object/definition/choices": [{"description": {"en": "x"}}]}),
    Clause("an id of a component is unique in its list", "1.0.3 Data 2.4.4.1",
           broken={"object/definition/choices": [{"id": "a"}, {"id": "a"}]}),
    Clause("a component needs no description", "1.0.3 Data 2.4.4.1", kept={"object/definition/choices": [{"id": "a"}]}),
    Clause("choices do not belong to a matching interaction", "1.0.3 Data 2.4.4.1",
           broken={"object/definition/interactionType": "matching"}),
    Clause("a sequencing interaction has choices", "1.0.3 Data 2.4.4.1", kept={"object/definition/interactionType": "sequencing"}),
    Clause("an agent may be the object", "1.0.3 Data 2.4.4.2", kept={"object": AGENT, **PLAIN}),
    Clause("an agent as object says that it is one", "1.0.3 Data 2.4.4.2", broken={"object": {"mbox": AGENT["mbox"]}, **PLAIN}),
    Clause("a StatementRef has an id that is a UUID", "1.0.3 Data 2.4.4.3",
           broken={"object": {"objectType": "StatementRef", "id": "first"}, **PLAIN}),
    Clause("a StatementRef has nothing else", "1.0.3 Data 2.4.4.3",
           broken={"object": {"objectType": "StatementRef", "id": UUID, "definition": {}}, **PLAIN}),
    Clause("a SubStatement may be the object", "1.0.3 Data 2.4.4.3", kept={"object": INNER, **PLAIN}),
    Clause("a SubStatement has no id", "1.0.3 Data 2.4.4.3", broken={"object": {**INNER, "id": UUID}, **PLAIN}),
    Clause("a SubStatement has no stored", "1.0.3 Data 2.4.4.3", broken={"object": {**INNER, "stored": "2026-03-02T09:14:08Z"}, **PLAIN}),
    Clause("a SubStatement has no version", "1.0.3 Data 2.4.4.3", broken={"object": {**INNER, "version": "1.0.0"}, **PLAIN}),
    Clause("a SubStatement has no authority", "1.0.3 Data 2.4.4.3", broken={"object": {**INNER, "authority": AGENT}, **PLAIN}),
    Clause("no SubStatement is within a SubStatement", "1.0.3 Data 2.4.4.3", broken={"object": {**INNER, "object": INNER}, **PLAIN}),
    Clause("a SubStatement may refer to a statement", "1.0.3 Data 2.4.4.3",
           kept={"object": {**INNER, "object": {"objectType": "StatementRef", "id": UUID}}, **PLAIN}),
    Clause("what voids refers to a statement", "1.0.3 Data 2.3.2", broken={"verb/id": "http://adlnet.gov/expapi/verbs/voided"}),
]
RESULTS_AND_CONTEXTS = [
    Clause("scaled is not above 1", "1.0.3 Data 2.4.5.1", broken={"result/score/scaled": 1.0000001}),
    Clause("scaled is not below -1", "1.0.3 Data 2.4.5.1", broken={"result/score/scaled": -1.5}),
    Clause("raw is not below min", "1.0.3 Data 2.4.5.1", broken={"result/score/raw": -1}),
    Clause("raw is not above max", "1.0.3 Data 2.4.5.1", broken={"result/score/raw": 10.5}),
    Clause("raw needs neither min nor max", "1.0.3 Data 2.4.5.1", kept={"result/score": {"raw": -1e9}}),
    Clause("min is less than max", "1.0.3 Data 2.4.5.1", broken={"result/score": {"min": 5, "max": 5}}),
    Clause("a score is made of numbers, not of strings", "1.0.3 Data 2.4.5.1", broken={"result/score/raw": "5"}),
    Clause("a score may be empty", "1.0.3 Data 2.4.5.1", kept={"result/score": {}}),
    Clause("success is a boolean", "1.0.3 Data 2.4.5", broken={"result/success": "true"}),
    Clause("completion is a boolean", "1.0.3 Data 2.4.5", broken={"result/completion": 1}),
    Clause("a response is a string", "1.0.3 Data 2.4.5", broken={"result/response": ["a"]}),
    Clause("a response may be empty", "1.0.3 Data 2.4.5", kept={"result/response": ""}),
    Clause("a duration is one of ISO 8601", "1.0.3 Data 4.6", broken={"result/duration": "90 s"}),
    Clause("a duration says something", "1.0.3 Data 4.6", broken={"result/duration": "PT"}),
    Clause("a duration may be finer than a hundredth of a second", "1.0.3 Data 4.6", kept={"result/duration": "PT0.000001S"}),
    Clause("a duration may be in weeks", "1.0.3 Data 4.6", kept={"result/duration": "P2W"}),
    Clause("a registration is a UUID", "1.0.3 Data 2.4.6", broken={"context/registration": "spring"}),
    Clause("a team is a group", "1.0.3 Data 2.4.6", broken={"context/team": AGENT}),
    Clause("an instructor may be a group", "1.0.3 Data 2.4.6", kept={"context/instructor": {"objectType": "Group", "member": MEMBER}}),
    Clause("a revision is only for activities", "1.0.3 Data 2.4.6", broken={"object": AGENT, "context/platform": ...}),
    Clause("a platform is only for activities", "1.0.3 Data 2.4.6", broken={"object": AGENT, "context/revision": ...}),
    Clause("the language of a context is a language tag", "1.0.3 Data 2.4.6", broken={"context/language": "English!"}),
    Clause("the statement of a context is a StatementRef", "1.0.3 Data 2.4.6", broken={"context/statement": {"id": UUID}}),
    Clause("there are four kinds of context activities", "1.0.3 Data 2.4.6.2", broken={"context/contextActivities/sibling": []}),
    Clause("a context activity may stand without a list", "1.0.3 Data 2.4.6.2", kept={"context/contextActivities/parent": {"id": IRI}}),
    Clause("a context activity has an id", "1.0.3 Data 2.4.6.2", broken={"context/contextActivities/parent": [{}]}),
    Clause("1.0 knows no contextAgents", "1.0.3 Data 2.2", versions=ONE, broken={"context/contextAgents": []}),
    Clause("1.0 knows no contextGroups", "1.0.3 Data 2.2", versions=ONE, broken={"context/contextGroups": []}),
    Clause("a context agent says that it is one", "IEEE 9274.1.1 4.2.2", versions=TWO,
           broken={"context/contextAgents": [{"agent": AGENT}]}),
    Clause("a context agent is an agent", "IEEE 9274.1.1 4.2.2", versions=TWO,
           broken={"context/contextAgents": [{"objectType": "contextAgent", "agent": {"objectType": "Group", "member": MEMBER}}]}),
    Clause("a context agent may play several parts", "IEEE 9274.1.1 4.2.2", versions=TWO,
           kept={"context/contextAgents": [{"objectType": "contextAgent", "agent": AGENT, "relevantTypes": [IRI, f"{IRI}/2"]}]}),
    Clause("relevant types are IRIs", "IEEE 9274.1.1 4.2.2", versions=TWO,
           broken={"context/contextAgents": [{"objectType": "contextAgent", "agent": AGENT, "relevantTypes": ["mentor"]}]}),
    Clause("relevant types, if given, are not none", "IEEE 9274.1.1 4.2.2", versions=TWO,
           broken={"context/contextAgents": [{"objectType": "contextAgent", "agent": AGENT, "relevantTypes": []}]}),
    Clause("a context group is a group", "IEEE 9274.1.1 4.2.2", versions=TWO,
           broken={"context/contextGroups": [{"objectType": "contextGroup", "group": AGENT}]}),
    Clause("a context group may be known by its account", "IEEE 9274.1.1 4.2.2", versions=TWO,
           kept={"context/contextGroups": [{"objectType": "contextGroup", "group": {"objectType": "Group", "account": ACCOUNT}}]}),
]
THE_REST = [
    Clause("a timestamp is one of ISO 8601", "1.0.3 Data 4.5", broken={"timestamp": "2 March 2026"}),
    Clause("a timestamp is on a day that is", "1.0.3 Data 4.5", broken={"timestamp": "2026-02-29T09:00:00Z"}),
    Clause("a leap day is a day in leap years", "1.0.3 Data 4.5", kept={"timestamp": "2028-02-29T09:00:00Z"}),
    Clause("a timestamp may have an offset", "1.0.3 Data 4.5", kept={"timestamp": "2026-03-02T09:14:07.250+05:30"}),
    Clause("the offset -00 says nothing and is refused", "1.0.3 Data 4.5", broken={"timestamp": "2026-03-02T09:14:07-00:00"}),
    Clause("a timestamp may be finer than a millisecond", "1.0.3 Data 4.5", kept={"timestamp": "2026-03-02T09:14:07.123456789Z"}),
    Clause("a timestamp may lie in the future", "1.0.3 Data 2.4.7", kept={"timestamp": "2999-01-01T00:00:00Z"}),
    Clause("stored is a timestamp where it is sent", "1.0.3 Data 2.4.8", broken={"stored": "today"}),
    Clause("an authority may be two agents, an application and a user", "1.0.3 Data 2.4.9",
           kept={"authority": {"objectType": "Group", "member": [{"account": ACCOUNT}, MEMBER[0]]}}),
    Clause("an authority is not three agents", "1.0.3 Data 2.4.9",
           broken={"authority": {"objectType": "Group", "member": [{"account": ACCOUNT}, *MEMBER, *MEMBER]}}),
    Clause("an authority is no identified group", "1.0.3 Data 2.4.9", broken={"authority": {"objectType": "Group", "account": ACCOUNT}}),
    Clause("a statement of 1.0 says 1.0.x", "1.0.3 Data 2.4.10", versions=ONE, broken={"version": "1.1.0"}),
    Clause("1.0 takes no statements of 2.0", "1.0.3 Data 2.4.10", versions=ONE, broken={"version": "2.0.0"}),
    Clause("2.0 takes statements made for 1.0", "IEEE 9274.1.1 4.2.4.3", versions=TWO, kept={"version": "1.0.3"}),
    Clause("attachments are a list", "1.0.3 Data 2.4.11", broken={"attachments": ATTACHMENT}),
    Clause("an attachment has a usageType", "1.0.3 Data 2.4.11", broken={"attachments/0/usageType": ...}),
    Clause("an attachment has a display", "1.0.3 Data 2.4.11", broken={"attachments/0/display": ...}),
    Clause("an attachment has a contentType", "1.0.3 Data 2.4.11", broken={"attachments/0/contentType": ...}),
    Clause("an attachment's contentType is a media type", "1.0.3 Data 2.4.11", broken={"attachments/0/contentType": "text"}),
    Clause("an attachment has a length", "1.0.3 Data 2.4.11", broken={"attachments/0/length": ...}),
    Clause("an attachment's length is a number of octets", "1.0.3 Data 2.4.11", broken={"attachments/0/length": 1.5}),
    Clause("an attachment has a sha2", "1.0.3 Data 2.4.11", broken={"attachments/0/sha2": ...}),
    Clause("an attachment's fileUrl is an IRL", "1.0.3 Data 2.4.11", broken={"attachments/0/fileUrl": "certificate.pdf"}),
    Clause("an attachment may be of SHA-512", "1.0.3 Data 2.4.11", kept={"attachments/0/sha2": "ab" * 64}),
    Clause("attachments may be in a SubStatement", "1.0.3 Data 2.4.4.3", kept={"object": {**INNER, "attachments": [ATTACHMENT]}, **PLAIN}),
]


@pytest.mark.parametrize("clause", FORMATTING + ACTORS, ids=lambda clause: clause.says)
def test_the_rules_of_formatting_and_of_actors_are_kept(clause):
    """1.0.3 Data 2.2, 2.4.2, 4; IEEE 9274.1.1 4.2: each case cites its own rule."""
    judge(clause)


@pytest.mark.parametrize("clause", VERBS_AND_OBJECTS, ids=lambda clause: clause.says)
def test_the_rules_of_verbs_and_objects_are_kept(clause):
    """1.0.3 Data 2.4.3, 2.4.4; IEEE 9274.1.1 4.2.2: each case cites its own rule."""
    judge(clause)


@pytest.mark.parametrize("clause", RESULTS_AND_CONTEXTS, ids=lambda clause: clause.says)
def test_the_rules_of_results_and_contexts_are_kept(clause):
    """1.0.3 Data 2.4.5, 2.4.6; IEEE 9274.1.1 4.2.2: each case cites its own rule."""
    judge(clause)


@pytest.mark.parametrize("clause", THE_REST, ids=lambda clause: clause.says)
def test_the_rules_of_times_authorities_versions_and_attachments_are_kept(clause):
    """1.0.3 Data 2.4.7 to 2.4.11, 4.5; IEEE 9274.1.1 4.2: each case cites its own rule."""
    judge(clause)
