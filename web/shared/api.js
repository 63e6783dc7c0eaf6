// The management API, as the person who is signed in: the session travels in a
// cookie that this code cannot read.

// A Problem is an error as the API answers it (RFC 9457), or its absence.
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || 'The request failed.');
    this.status = status;
    this.title = body.title || 'The request failed';
    this.detail = body.detail || '';
    this.request = body.instance || '';
    this.errors = body.errors || [];
  }
}

export const get = (path, query) => send('GET', path, query);
export const post = (path, body) => send('POST', path, null, body);
export const del = (path) => send('DELETE', path);

// path joins segments, each of them data.
export const path = (...segments) => '/v1/' + segments.map((s) => encodeURIComponent(s)).join('/');

// refOf splits "team/name@version" into its parts.
export function refOf(text) {
  const [, team = '', name = '', version = ''] = /^([^/@]+)\/([^/@]+)(?:@(.+))?$/.exec(text ?? '') ?? [];
  return { team, name, version };
}

// versionPath is the path of an API version, "payments/orders@v1", and below.
export function versionPath(id, ...more) {
  const { team, name, version } = refOf(id);
  return path('teams', team, 'apis', name, 'versions', version, ...more);
}

// base64 is a file's content as requests carry it.
export async function base64(file) {
  const all = new Uint8Array(await file.arrayBuffer());
  let text = '';
  for (let i = 0; i < all.length; i += 8192) text += String.fromCharCode(...all.subarray(i, i + 8192));
  return btoa(text);
}

async function send(method, to, query, body) {
  const params = new URLSearchParams();
  for (const [k, v] of Object.entries(query ?? {})) {
    if (v !== '' && v !== undefined && v !== null && v !== false) params.set(k, v);
  }
  const text = params.toString();
  const init = { method, headers: { Accept: 'application/json' }, credentials: 'same-origin', cache: 'no-store', redirect: 'error' };
  if (body !== undefined) {
    init.headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(text ? to + '?' + text : to, init);
  } catch {
    throw new Problem(0, { title: 'Gatehouse does not answer', detail: 'Is it still running, and can this machine reach it? Nothing was changed by this page.' });
  }
  return read(answer);
}

async function read(answer) {
  const raw = await answer.text();
  let value = null;
  try {
    value = raw ? JSON.parse(raw) : null;
  } catch {
    throw new Problem(answer.status, { title: 'The answer cannot be read', detail: 'Something between this page and Gatehouse answered in its place.', instance: answer.headers.get('X-Request-Id') });
  }
  if (!answer.ok) throw new Problem(answer.status, value ?? { title: answer.statusText, instance: answer.headers.get('X-Request-Id') });
  return value;
}

// all follows a list's pages, up to a bound; more tells whether there were
// others. What the first page says beside its items stands in the answer.
export async function all(to, query, most = 2000) {
  const items = [];
  let first, after = '';
  do {
    const page = await get(to, { ...query, limit: 500, after });
    first ??= page;
    items.push(...(page.items ?? []));
    after = page.next ?? '';
  } while (after && items.length < most);
  return { ...first, items, more: Boolean(after) };
}

// exposed is the catalog, as far as a page can show it.
export const exposed = (query) => all('/v1/catalog', query, 20000);
