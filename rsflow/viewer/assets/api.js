// Questions to the server. The latest question of a kind wins: an answer that comes after a newer question is dropped.

const running = new Map();
export const session = { secret: "" };

export async function get(path, parameters = new URLSearchParams(), kind = "") {
  const control = new AbortController();
  if (kind) {
    running.get(kind)?.abort();
    running.set(kind, control);
  }
  const query = parameters.toString();
  const answer = await fetch(`api/${path}${query ? `?${query}` : ""}`, { signal: control.signal });
  return read(answer);
}

export async function post(path, content) {
  const headers = { "content-type": "application/json", "x-rsflow-review": session.secret };
  return read(await fetch(`api/${path}`, { method: "POST", headers, body: JSON.stringify(content) }));
}

async function read(answer) {
  const content = await answer.json().catch(() => ({ error: `the server answered ${answer.status}` }));
  if (!answer.ok) throw new Error(content.error || `the server answered ${answer.status}`);
  return content;
}

export const wasDropped = (error) => error.name === "AbortError";

export const pictureAddress = (row) => `api/picture/${encodeURIComponent(row.key)}?v=${row.version || ""}`;
