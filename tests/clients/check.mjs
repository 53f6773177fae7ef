// What every client's script shares: where the server is, a learner of its own, and steps that say which one failed.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

export { assert, randomUUID };
export const { ENDPOINT, KEY, SECRET } = process.env;
export const learner = () => ({ objectType: "Agent", mbox: `mailto:${randomUUID()}@school.example.org` });
export const activity = () => `https://school.example.org/activities/${randomUUID()}`;
export const EXPERIENCED = { id: "http://adlnet.gov/expapi/verbs/experienced", display: { "en-US": "experienced" } };

export async function steps(named) {
  for (const [name, step] of Object.entries(named)) {
    try {
      await step();
    } catch (error) {
      console.error(`failed: ${name}`);
      throw error;
    }
  }
  console.log(`${Object.keys(named).length} steps`);
}

// Calls an old-style function whose last argument is callback(error, ...results).
export const called = (object, method, ...given) =>
  new Promise((resolve, reject) =>
    object[method](...given, (error, ...results) => (error ? reject(new Error(`${method}: ${error}`)) : resolve(results))));
