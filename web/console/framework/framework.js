// Frameworks: the rules by which APIs are exposed, and who approved them:
// control/governance/framework.
import { el, put } from '/shared/dom.js';
import { all } from '/shared/api.js';
import { empty } from '/shared/problem.js';
import { table } from '/shared/table.js';
import { badge, count, plural, short, when } from '/shared/format.js';
import { query } from '/shared/query.js';
import { open } from './version.js';

export async function show(place, session) {
  const asked = query();
  if (asked.framework && asked.version) return open(place, asked.framework, asked.version, session);
  const { items } = await all('/v1/frameworks/-/versions');
  const waiting = items.filter((v) => v.state === 'submitted').length;
  put(place, el('h1', { tabindex: -1 }, 'Frameworks'), el('p', { class: 'lead' }, 'The rules by which the company exposes APIs: defined once, approved once, used by every team.'),
    waiting > 0 && el('div', { class: 'notice warn' }, `${plural(waiting, 'version waits', 'versions wait')} for approval.`),
    table('Versions of frameworks', columns, items, empty('There is no framework yet', 'The provider team writes one, or begins with one of three that are ready.', 'gatehouse framework init starter > framework.yaml\ngatehouse apply -f framework.yaml')));
}

const at = (v) => `/console/framework?framework=${encodeURIComponent(v.framework)}&version=${encodeURIComponent(v.version)}`;

const columns = [
  { head: 'Version', key: (v) => `${v.framework} ${v.version}`, cell: (v) => el('div', {}, el('a', { href: at(v) }, `${v.framework} ${v.version}`), v.title && el('span', { class: 'under' }, v.title)) },
  { head: 'State', key: (v) => v.state, cell: (v) => el('div', {}, badge(v.state), v.reason && el('span', { class: 'under wrap' }, v.reason)) },
  { head: 'Since', key: (v) => v.since, cell: (v) => when(v.since) ?? '' }, { head: 'By', key: (v) => v.by, cell: (v) => v.by ?? '' },
  { head: 'Valid', cell: (v) => [v.validFrom && `from ${v.validFrom}`, v.validUntil && `until ${v.validUntil}`].filter(Boolean).join(' ') || 'no bound' },
  { head: 'Controls', num: true, key: (v) => v.controls, cell: (v) => count(v.controls) },
  { head: 'Text', cell: (v) => v.hash && el('code', { title: v.hash }, short(v.hash)) },
  { head: '', cell: (v) => el('a', { class: 'button', href: at(v), 'aria-label': `Open ${v.framework} ${v.version}` }, v.state === 'submitted' ? 'Read and decide' : 'Open') },
];
