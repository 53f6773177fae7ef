// @xapi/xapi: every call it has.

import XAPIModule from "@xapi/xapi";
import { ENDPOINT, EXPERIENCED, KEY, SECRET, activity, assert, learner, randomUUID, steps } from "./check.mjs";

const XAPI = XAPIModule.default ?? XAPIModule;

for (const version of ["1.0.3", "2.0.0"]) {
  const xapi = new XAPI({ endpoint: ENDPOINT, auth: XAPI.toBasicAuth(KEY, SECRET), version });
  const agent = learner();
  const activityId = activity();
  const statement = { actor: agent, verb: EXPERIENCED, object: { objectType: "Activity", id: activityId, definition: { name: { "en-US": "Sums" } } } };
  const registration = randomUUID();
  const profileId = "https://school.example.org/profiles/1";
  const ids = [];

  await steps({
    about: async () => assert.ok((await xapi.getAbout()).data.version.includes(version)),
    "send one": async () => ids.push(...(await xapi.sendStatement({ statement })).data),
    "send several": async () => ids.push(...(await xapi.sendStatements({ statements: [statement, statement, statement] })).data),
    "get one": async () => assert.equal((await xapi.getStatement({ statementId: ids[0] })).data.actor.mbox, agent.mbox),
    "get by agent, and more": async () => {
      const page = (await xapi.getStatements({ agent, limit: 3 })).data;
      assert.equal(page.statements.length, 3);
      const rest = (await xapi.getMoreStatements({ more: page.more })).data;
      assert.deepEqual([...page.statements, ...rest.statements].map((each) => each.id), [...ids].reverse());
    },
    "get by activity, ids only": async () => {
      const { statements } = (await xapi.getStatements({ activity: activityId, format: "ids" })).data;
      assert.equal(statements[0].object.definition, undefined);
    },
    "void and get voided": async () => {
      await xapi.voidStatement({ actor: agent, statementId: ids[0] });
      await assert.rejects(xapi.getStatement({ statementId: ids[0] }));
      assert.equal((await xapi.getVoidedStatement({ voidedStatementId: ids[0] })).data.id, ids[0]);
    },
    "state: create, get, list, set, delete": async () => {
      const about = { agent, activityId, registration };
      await xapi.createState({ ...about, stateId: "bookmark", state: { page: 1 } });
      await xapi.createState({ ...about, stateId: "bookmark", state: { zoom: 2 } });
      assert.deepEqual((await xapi.getState({ ...about, stateId: "bookmark" })).data, { page: 1, zoom: 2 });
      assert.deepEqual((await xapi.getStates(about)).data, ["bookmark"]);
      const { etag } = (await xapi.getState({ ...about, stateId: "bookmark" })).headers;
      await xapi.setState({ ...about, stateId: "bookmark", state: { page: 2 }, etag, matchHeader: "If-Match" });
      assert.deepEqual((await xapi.getState({ ...about, stateId: "bookmark" })).data, { page: 2 });
      const now = (await xapi.getState({ ...about, stateId: "bookmark" })).headers.etag;
      await xapi.deleteState({ ...about, stateId: "bookmark", etag: now });
      await assert.rejects(xapi.getState({ ...about, stateId: "bookmark" }));
      await xapi.createState({ ...about, stateId: "one", state: { a: 1 } });
      await xapi.deleteStates({ agent, activityId, registration });
      assert.deepEqual((await xapi.getStates(about)).data, []);
    },
    "activity profile": async () => {
      await xapi.createActivityProfile({ activityId, profileId, profile: { a: 1 } });
      const { headers, data } = await xapi.getActivityProfile({ activityId, profileId });
      assert.deepEqual(data, { a: 1 });
      await xapi.setActivityProfile({ activityId, profileId, profile: { b: 2 }, etag: headers.etag, matchHeader: "If-Match" });
      await assert.rejects(xapi.setActivityProfile({ activityId, profileId, profile: {}, etag: headers.etag, matchHeader: "If-Match" }));
      assert.deepEqual((await xapi.getActivityProfiles({ activityId })).data, [profileId]);
      const now = (await xapi.getActivityProfile({ activityId, profileId })).headers.etag;
      await xapi.deleteActivityProfile({ activityId, profileId, etag: now });
    },
    "agent profile": async () => {
      await xapi.createAgentProfile({ agent, profileId, profile: { a: 1 } });
      assert.deepEqual((await xapi.getAgentProfile({ agent, profileId })).data, { a: 1 });
      assert.deepEqual((await xapi.getAgentProfiles({ agent })).data, [profileId]);
      const now = (await xapi.getAgentProfile({ agent, profileId })).headers.etag;
      await xapi.deleteAgentProfile({ agent, profileId, etag: now });
    },
    person: async () => assert.deepEqual((await xapi.getAgent({ agent })).data.mbox, [agent.mbox]),
    "the activity as it is known": async () =>
      assert.equal((await xapi.getActivity({ activityId })).data.definition.name["en-US"], "Sums"),
  });
}
