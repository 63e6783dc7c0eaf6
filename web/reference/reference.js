// The reference renders the OpenAPI document of the management API: the
// operations by what they are about, what each takes, answers and asks for.
import { el, put, field } from '/shared/dom.js';
import { get } from '/shared/api.js';
import { problem, empty } from '/shared/problem.js';
import { count } from '/shared/format.js';
import { schema, named } from './schema.js';

const page = document.getElementById('page');
const verbs = ['get', 'post', 'put', 'patch', 'delete'];

function show(doc) {
  document.title = `Reference · ${doc.info.title}`;
  const groups = byTag(doc);
  const found = el('div', { id: 'operations' });
  const filter = el('input', { type: 'search', placeholder: 'path, words, action…', oninput: () => draw() });
  put(page, el('div', { class: 'page' },
    el('nav', { class: 'contents', 'aria-label': 'Contents' }, el('a', { class: 'brand', href: '/console/' }, el('img', { src: '/shared/mark.svg', alt: '', width: 28, height: 28 }), 'Gatehouse'),
      el('ul', {}, [...groups].map(([tag, ops]) => el('li', {}, el('a', { href: '#tag-' + tag }, words(tag), el('span', {}, count(ops.length))))), el('li', {}, el('a', { href: '#schemas' }, 'schemas', el('span', {}, count(Object.keys(doc.components.schemas).length)))))),
    el('main', { id: 'main' }, el('h1', {}, doc.info.title), el('p', { class: 'lead' }, doc.info.description),
      el('p', { class: 'muted' }, `Version ${doc.info.version}, OpenAPI ${doc.openapi}. Show a token as `, el('code', {}, 'Authorization: Bearer …'), '; errors are problem details (RFC 9457). The document itself: ', el('a', { href: '/openapi.json' }, '/openapi.json'), '.'),
      field('Filter', filter), found, el('section', { class: 'group' }, el('h2', { id: 'schemas' }, 'Schemas'), Object.keys(doc.components.schemas).sort().map((n) => named(doc, n))))));
  draw();
  addEventListener('hashchange', reveal);
  reveal();

  function draw() {
    const asked = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const parts = [...groups].map(([tag, ops]) => [tag, ops.filter((o) => asked.every((w) => o.text.includes(w)))]).filter(([, ops]) => ops.length);
    put(found, parts.map(([tag, ops]) => el('section', { class: 'group' }, el('h2', { id: 'tag-' + tag }, words(tag)), ops.map((o) => operation(doc, o)))),
      !parts.length && empty('No operation matches', 'Take a word out of the filter.'));
  }
}

// reveal opens what the address points at.
function reveal() {
  const at = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!at) return;
  if (at.tagName === 'DETAILS') at.open = true;
  at.scrollIntoView();
}

function words(tag) {
  return tag.replaceAll('-', ' ');
}

function byTag(doc) {
  const groups = new Map();
  for (const [path, item] of Object.entries(doc.paths)) {
    for (const verb of verbs.filter((v) => item[v])) {
      const op = item[verb];
      const tag = op.tags?.[0] ?? 'other';
      const text = [path, verb, op.operationId, op.summary, op.description, op['x-gatehouse-action']].join(' ').toLowerCase();
      groups.set(tag, [...(groups.get(tag) ?? []), { path, verb, op, text, shared: item.parameters ?? [] }]);
    }
  }
  return new Map([...groups].sort(([a], [b]) => a.localeCompare(b)));
}

function operation(doc, { path, verb, op, shared }) {
  const inside = el('div', { class: 'inside' });
  const fill = (e) => e.target === box && box.open && !inside.childElementCount && put(inside, body(doc, op, [...shared, ...(op.parameters ?? [])]));
  const box = el('details', { class: 'op card', id: op.operationId, ontoggle: fill },
    el('summary', {}, el('span', { class: 'method ' + verb }, verb.toUpperCase()), el('code', {}, path), el('span', { class: 'muted' }, op.summary)), inside);
  return box;
}

function body(doc, op, parameters) {
  const open = op.security?.length === 0;
  const content = (of) => Object.entries(of?.content ?? {}).map(([type, m]) => [el('span', { class: 'type' }, type), m.schema && schema(doc, m.schema)]);
  return [
    op.description && op.description.split('\n\n').map((t) => el('p', {}, t)),
    el('p', {}, 'Asks for ', el('code', {}, op['x-gatehouse-action'] ?? 'nothing'), open ? ', without signing in.' : '. Who holds it: ', !open && el('code', {}, `gatehouse access who ${op['x-gatehouse-action']}`)),
    parameters.length > 0 && [el('h3', {}, 'Parameters'), el('ul', { class: 'fields' }, parameters.map((p) => el('li', {}, el('code', {}, p.name), el('span', { class: 'type' }, ` ${p.in} ${p.schema?.type ?? ''} `), p.required && el('span', { class: 'must' }, 'required '),
      p.description, p.schema?.enum && el('span', { class: 'muted' }, ` One of ${p.schema.enum.join(', ')}.`), p.schema?.default !== undefined && el('span', { class: 'muted' }, ` Default ${p.schema.default}.`))))],
    op.requestBody && [el('h3', {}, 'Body'), content(op.requestBody)],
    el('h3', {}, 'Answers'),
    el('ul', { class: 'fields' }, Object.entries(op.responses ?? {}).map(([status, r]) => el('li', {}, el('code', {}, status), ' ', r.description, Object.keys(r.headers ?? {}).length > 0 && el('span', { class: 'muted' }, ` with ${Object.keys(r.headers).join(', ')}`), ' ', content(r)))),
  ];
}

try {
  show(await get('/openapi.json'));
} catch (err) {
  put(page, el('main', { class: 'welcome' }, el('h1', {}, 'Reference'), problem(err)));
}
