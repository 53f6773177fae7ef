// @xapi/cmi5: a lesson that was launched by an LMS, from the token to the end of the session.

import http from "node:http";
import XAPIModule from "@xapi/xapi";
import XMLHttpRequest from "xhr2";
import { ENDPOINT, KEY, SECRET, activity, assert, randomUUID, steps } from "./check.mjs";

const XAPI = XAPIModule.default ?? XAPIModule;
// A build for browsers; its "main" names a file that it does not ship.
globalThis.XMLHttpRequest = XMLHttpRequest;
const { default: Cmi5 } = await import("@xapi/cmi5/dist/Cmi5.umd.js");
const token = Buffer.from(`${KEY}:${SECRET}`).toString("base64");
const lms = http.createServer((_request, answer) => {
  answer.setHeader("Content-Type", "application/json");
  answer.end(JSON.stringify({ "auth-token": token }));
});
await new Promise((resolve) => lms.listen(0, "127.0.0.1", resolve));

const actor = { objectType: "Agent", account: { homePage: "https://school.example.org", name: randomUUID() } };
const [activityId, registration, sessionId] = [activity(), randomUUID(), randomUUID()];
const xapi = new XAPI({ endpoint: ENDPOINT, auth: XAPI.toBasicAuth(KEY, SECRET), version: "1.0.3" });
const SESSION = "https://w3id.org/xapi/cmi5/context/extensions/sessionid";
let cmi5;

await steps({
  "the LMS prepares the launch": () =>
    xapi.setState({
      agent: actor, activityId, registration, stateId: "LMS.LaunchData",
      state: {
        contextTemplate: { extensions: { [SESSION]: sessionId }, contextActivities: { grouping: [{ id: `${activityId}/publisher` }] } },
        launchMode: "Normal", moveOn: "CompletedAndPassed", masteryScore: 0.5,
      },
    }),
  "the lesson begins": async () => {
    const { port } = lms.address();
    cmi5 = new Cmi5({ endpoint: `${ENDPOINT}/`, fetch: `http://127.0.0.1:${port}/`, actor, registration, activityId });
    await cmi5.initialize();
  },
  progress: () => cmi5.progress(50),
  "an answer": () => cmi5.interactionTrueFalse("quiz", "q1", true, true),
  "passed and completed": async () => {
    await cmi5.pass({ scaled: 0.8 });
    await cmi5.complete();
  },
  "the lesson ends": () => cmi5.terminate(),
  "the LMS reads the session": async () => {
    const { statements } = (await xapi.getStatements({ registration, ascending: true })).data;
    const verbs = statements.map((each) => each.verb.id.split("/").at(-1));
    assert.deepEqual(verbs, ["initialized", "progressed", "answered", "passed", "completed", "terminated"]);
    assert.ok(statements.every((each) => each.context.extensions[SESSION] === sessionId));
  },
});
lms.close();
