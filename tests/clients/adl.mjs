// adl-xapiwrapper: ADL's own wrapper for Node.

import adl from "adl-xapiwrapper";
import { ENDPOINT, EXPERIENCED, KEY, SECRET, activity, assert, called, learner, steps } from "./check.mjs";

const lrs = new adl.XAPIWrapper({ url: `${ENDPOINT}/`, auth: { user: KEY, pass: SECRET } });
const agent = learner();
const activityId = activity();
const statement = { actor: agent, verb: EXPERIENCED, object: { id: activityId } };

async function answered(status, method, ...given) {
  const [response, body] = await called(lrs, method, ...given);
  assert.equal(response.statusCode, status, `${method}: ${response.statusCode} ${body}`);
  return body && typeof body === "string" && body.startsWith("{") ? JSON.parse(body) : body;
}

await steps({
  "send one": () => answered(200, "sendStatements", statement),
  "send several": () => answered(200, "sendStatements", [statement, statement]),
  query: async () => {
    const { statements } = await answered(200, "getStatements", { agent: JSON.stringify(agent), limit: 2 }, null);
    assert.equal(statements.length, 2);
  },
  "state, there and back": async () => {
    await answered(204, "sendState", activityId, agent, "bookmark", null, { page: 1 }, null, null);
    assert.deepEqual(await answered(200, "getState", activityId, agent, "bookmark", null, null), { page: 1 });
  },
  "activity profile, there and back": async () => {
    await answered(204, "sendActivityProfile", activityId, "settings", { a: 1 }, null, "*");
    assert.deepEqual(await answered(200, "getActivityProfile", activityId, "settings", null), { a: 1 });
  },
  "agent profile, there and back": async () => {
    await answered(204, "sendAgentProfile", agent, "settings", { a: 1 }, null, "*");
    assert.deepEqual(await answered(200, "getAgentProfile", agent, "settings", null), { a: 1 });
  },
  person: async () => assert.deepEqual((await answered(200, "getAgents", agent)).mbox, [agent.mbox]),
  activity: async () => assert.equal((await answered(200, "getActivities", activityId)).id, activityId),
});
