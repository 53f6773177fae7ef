// tincanjs: the library of most content made with the authoring tools of the Tin Can years.

import TinCan from "tincanjs";
import { ENDPOINT, KEY, SECRET, activity, assert, learner, steps } from "./check.mjs";

const lrs = new TinCan.LRS({ endpoint: `${ENDPOINT}/`, username: KEY, password: SECRET, allowFail: false, version: "1.0.1" });
const agent = new TinCan.Agent(learner());
const place = new TinCan.Activity({ id: activity(), definition: { name: { "en-US": "Sums" } } });
const CONTENT = "a drawing";

const call = (method, ...given) =>
  new Promise((resolve, reject) => {
    const options = given.at(-1) ?? {};
    options.callback = (error, result) => {
      if (error === null || error === undefined) resolve(result);
      else reject(new Error(`${method}: ${error.status ?? error} ${error.responseText ?? ""}`));
    };
    lrs[method](...given.slice(0, -1), options);
  });
const statement = (parts = {}) =>
  new TinCan.Statement({ actor: agent, verb: { id: "http://adlnet.gov/expapi/verbs/experienced" }, target: place, ...parts });

let first;
await steps({
  about: async () => assert.ok((await call("about", {})).version.includes("1.0.3")),
  "save and retrieve a statement": async () => {
    first = statement();
    await call("saveStatement", first, {});
    assert.equal((await call("retrieveStatement", first.id, {})).actor.mbox, agent.mbox);
  },
  "save several": async () => call("saveStatements", [statement(), statement(), statement()], {}),
  "query, and more": async () => {
    const page = await call("queryStatements", { params: { agent, limit: 3 } });
    assert.equal(page.statements.length, 3);
    const rest = await call("moreStatements", { url: page.more });
    assert.deepEqual(rest.statements.map((each) => each.id), [first.id]);
  },
  "a statement with an attachment": async () => {
    const withDrawing = statement({
      attachments: [{
        usageType: "https://school.example.org/drawing", display: { "en-US": "Drawing" }, contentType: "text/plain",
        content: TinCan.Utils.stringToArrayBuffer?.(CONTENT) ?? CONTENT,
      }],
    });
    await call("saveStatement", withDrawing, {});
    const back = await call("retrieveStatement", withDrawing.id, { params: { attachments: true } });
    assert.equal(back.attachments[0].getContentAsString(), CONTENT);
  },
  "state: save, retrieve, concur, drop": async () => {
    const about = { agent, activity: place, contentType: "application/json" };
    await call("saveState", "bookmark", '{"page":1}', { ...about });
    const state = await call("retrieveState", "bookmark", { ...about });
    assert.deepEqual(state.contents, { page: 1 });
    await call("saveState", "bookmark", '{"page":2}', { ...about, lastSHA1: state.etag });
    await call("dropState", "bookmark", { ...about });
    assert.equal(await call("retrieveState", "bookmark", { ...about }), null);
  },
  "activity profile": async () => {
    const about = { activity: place, contentType: "application/json" };
    await call("saveActivityProfile", "settings", '{"a":1}', { ...about });
    assert.deepEqual((await call("retrieveActivityProfile", "settings", { ...about })).contents, { a: 1 });
    await call("dropActivityProfile", "settings", { ...about });
  },
  "agent profile": async () => {
    const about = { agent, contentType: "application/json" };
    await call("saveAgentProfile", "settings", '{"a":1}', { ...about });
    assert.deepEqual((await call("retrieveAgentProfile", "settings", { ...about })).contents, { a: 1 });
    await call("dropAgentProfile", "settings", { ...about });
  },
  "the activity as it is known": async () =>
    assert.equal((await call("retrieveActivity", place.id, {})).definition.name["en-US"], "Sums"),
});
