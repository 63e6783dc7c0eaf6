// The lists of a team's page.
import { el } from '/shared/dom.js';
import { empty } from '/shared/problem.js';
import { table } from '/shared/table.js';
import { badge, ago, count, ends, tag, when } from '/shared/format.js';

const part = encodeURIComponent;

export function apis(t) {
  const rows = (t.apis ?? []).flatMap((a) => a.versions.map((v) => ({ id: `${a.api}@${v.version}`, title: a.title, ...v })));
  return table('APIs', [
    { head: 'API', key: (r) => r.id, cell: (r) => el('div', {}, el('a', { href: `/console/release?api=${part(r.id)}` }, r.id), r.title && el('span', { class: 'under' }, r.title)) },
    { head: 'Lifecycle', key: (r) => r.lifecycle, cell: (r) => badge(r.lifecycle) },
    { head: 'Released', cell: (r) => (r.releases ?? []).length ? el('div', { class: 'row' }, r.releases.map((x) => tag(x.environment))) : el('span', { class: 'muted' }, 'nowhere') },
    { head: 'Gate', cell: (r) => el('div', { class: 'row' }, (r.releases ?? []).map((x) => el('a', { href: `/console/gate?api=${part(r.id)}&environment=${part(x.environment)}`, class: 'quiet', 'aria-label': `Gate of ${r.id} in ${x.environment}: ${x.gate || 'not looked at'}` }, badge(x.gate || 'none', `${x.environment}: ${x.gate || 'not looked at'}`)))) },
    { head: 'Waits', cell: (r) => (r.releases ?? []).filter((x) => x.state === 'requested').map((x) => badge('requested', `${x.environment} waits for approval`)) },
  ], rows, empty('No API yet', 'Write an API and its backend, or start from the kit, and apply them.', `gatehouse import openapi FILE --team ${t.team} --backend URL -o apis\ngatehouse apply -f apis`));
}

export function waivers(list) {
  return table('Waivers', [
    { head: 'Excepted', key: (w) => w.api, cell: (w) => el('div', {}, el('a', { href: `/console/gate?waiver=${part(w.id)}` }, w.api), el('span', { class: 'under' }, w.environment ? `in ${w.environment}` : 'in all environments')) },
    { head: 'From', key: (w) => w.control, cell: (w) => el('code', {}, w.control) }, { head: 'State', key: (w) => w.state, cell: (w) => badge(w.state) },
    { head: 'Ends', key: (w) => w.expires, cell: (w) => ends(w.expires) }, { head: 'Reason', cell: (w) => el('span', { class: 'wrap' }, w.reason) }, { head: 'Asked by', cell: (w) => w.askedBy },
  ], list, el('p', { class: 'said' }, 'None is open: everything obeys the framework without an exception, or says where it does not on the page of the gate.'));
}

export function products(t) {
  return table('Products', [
    { head: 'Product', key: (p) => p.product, cell: (p) => el('div', {}, p.product, p.title && el('span', { class: 'under' }, p.title)) },
    { head: 'Plans', cell: (p) => el('span', { class: 'row' }, p.plans.map(tag)) },
    { head: 'Subscriptions', cell: (p) => el('span', { class: 'row' }, Object.entries(p.subscriptions ?? {}).map(([state, n]) => badge(state, `${count(n)} ${state}`))) },
  ], t.products ?? [], empty('No product yet', 'Applications subscribe to the plans of a product: bundle your APIs into one.', `kind: Product\nmetadata: {team: ${t.team}, name: NAME}`));
}

export function subscriptions(list) {
  return table('Subscriptions', [
    { head: 'Application', key: (s) => s.application, cell: (s) => s.application }, { head: 'Product', key: (s) => s.product, cell: (s) => el('div', {}, s.product, el('span', { class: 'under' }, `plan ${s.plan}`)) },
    { head: 'Environment', key: (s) => s.environment, cell: (s) => s.environment }, { head: 'Side', key: (s) => String(Boolean(s.own)), cell: (s) => (s.own ? 'this team calls' : 'this team is called') },
    { head: 'State', key: (s) => s.state, cell: (s) => badge(s.state) }, { head: 'Since', key: (s) => s.since, cell: (s) => when(s.since) }, { head: 'Ends', cell: (s) => ends(s.expires) ?? '' },
    { head: '', cell: (s) => el('a', { class: 'button', href: `/console/subscription?q=${part(s.subscription)}`, 'aria-label': `Open subscription ${s.subscription}` }, 'Open') },
  ], list, el('p', { class: 'said' }, 'Nobody subscribed to a product of this team, and none of its applications to another’s. ', el('a', { href: '/portal/' }, 'The portal'), ' has what there is.'));
}

export function support(list, team) {
  return table('Support requests', [
    { head: 'Request', key: (q) => q.id, cell: (q) => el('div', {}, el('a', { href: `/console/support?id=${part(q.id)}` }, q.id), el('span', { class: 'under' }, q.title)) },
    { head: 'Severity', key: (q) => q.severity, cell: (q) => badge(q.severity) }, { head: 'State', key: (q) => q.state, cell: (q) => badge(q.state) },
    { head: 'Who asks whom', cell: (q) => (q.from === team ? `this team asks ${q.to || 'the provider'}` : `${q.from} asks this team`) }, { head: 'About', cell: (q) => q.api ?? '' }, { head: 'Opened', key: (q) => q.opened, cell: (q) => ago(q.opened) },
  ], list, el('p', { class: 'said' }, 'No request is open.'));
}

const measured = (l) => Boolean(l.attained) && l.attained !== 'no data';

export function levels(list) {
  return table('Service levels', [
    { head: 'Of', key: (l) => l.api, cell: (l) => el('div', {}, l.api, el('span', { class: 'under' }, [l.environment, l.plan && `plan ${l.plan}`].filter(Boolean).join(' · '))) },
    { head: 'Objective', key: (l) => l.objective, cell: (l) => l.objective }, { head: 'Promised', num: true, cell: (l) => l.promised }, { head: 'Attained', num: true, cell: (l) => (measured(l) ? l.attained : el('span', { class: 'muted' }, 'nothing counted yet')) },
    { head: 'Kept', key: (l) => String(l.met), cell: (l) => (measured(l) ? badge(l.met ? 'met' : 'missed', l.met ? 'kept' : 'missed') : '') }, { head: 'Budget left', num: true, cell: (l) => (l.budgetLeft === undefined ? '' : `${l.budgetLeft.toFixed(1)} %`) },
  ], list, el('p', { class: 'said' }, 'No plan or API of this team promises anything. A plan’s ', el('code', {}, 'sla'), ' says what is promised, and this is then measured.'));
}

export function members(t, withheld) {
  return table('Members', [
    { head: 'Member', key: (m) => m.subject, cell: (m) => el('div', {}, m.subject, m.disabled && badge('refused', 'disabled')) },
    { head: 'Roles', cell: (m) => (withheld ? el('span', { class: 'muted' }, 'not yours to see') : el('div', { class: 'row' }, (m.roles ?? []).map((r) => el('span', { title: [r.assignment && `by assignment ${r.assignment}`, (r.via ?? []).length && `through ${r.via.join(', ')}`].filter(Boolean).join(', ') }, tag(r.role), r.expires && el('span', { class: 'under' }, 'until ', when(r.expires)))))) },
  ], t.members ?? [], el('p', { class: 'said' }, withheld ? 'Who is of the team is not yours to see.' : 'Nobody is of this team yet: a role on it, or membership in a group that has one, makes a member.'));
}
