// Runs on the server: watched until they end.

import { get, runBase } from "./data.js";

const WAIT_S = 20;
const PAUSE_MS = 500;

export const ended = (run) => !["queued", "running"].includes(run.state);

// Tells `show` each new state of a run; returns it when it ended, or null once `still()` says no.
export async function watch(run, show, still) {
  let seen = run;
  show(seen);
  while (!ended(seen)) {
    const began = performance.now();
    const next = await get(`${runBase(seen.id)}?after=${seen.version}&wait_s=${WAIT_S}`);
    if (!still()) return null;
    // A busy server answers at once though nothing is new.
    if (next.version === seen.version && performance.now() - began < PAUSE_MS)
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    seen = next;
    show(seen);
  }
  return seen;
}
