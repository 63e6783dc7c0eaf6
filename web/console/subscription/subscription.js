// Subscriptions: who may call what under which plan: control/subscription.
import { el, put, field, options } from '/shared/dom.js';
import { all } from '/shared/api.js';
import { everywhere } from '/shared/permission.js';
import { empty } from '/shared/problem.js';
import { table } from '/shared/table.js';
import { badge, count, when } from '/shared/format.js';
import { query, setQuery } from '/shared/query.js';
import { open } from './decide.js';

const states = ['requested', 'approved', 'suspended', 'rejected', 'expired', 'cancelled'];

export async function show(place, session) {
  const asked = query();
  const { items, more } = await all('/v1/teams/-/subscriptions');
  const found = el('div', { class: 'stack' });
  const waiting = items.filter((s) => s.status?.state === 'requested').length;
  const filter = el('input', { type: 'search', value: asked.q ?? '', placeholder: 'Application, product, plan, team…', oninput: () => draw() });
  const state = el('select', { onchange: () => draw() }, options([['', 'All'], ...states], asked.state ?? ''));
  const again = () => show(place, session);
  put(place, el('h1', { tabindex: -1 }, 'Subscriptions'), el('p', { class: 'lead' }, 'Which application may use which product, under which plan.'),
    waiting > 0 && el('div', { class: 'notice warn' }, `${count(waiting)} ${waiting === 1 ? 'waits' : 'wait'} for a decision.`),
    el('div', { class: 'controls noprint' }, el('label', { class: 'field grow' }, el('span', {}, 'Filter'), filter), field('State', state)), found);
  draw();

  function draw() {
    setQuery({ q: filter.value, state: state.value });
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const list = items.filter((s) => (!state.value || s.status?.state === state.value) && words.every((w) => text(s).includes(w)));
    list.sort((a, b) => (b.status?.state === 'requested') - (a.status?.state === 'requested'));
    put(found, table('Subscriptions', columns(again), list, items.length ? empty('Nothing matches', 'Take something out of the filter.')
      : empty(everywhere(session) ? 'Nobody has subscribed yet' : 'There is no subscription that you may see', 'An application owner subscribes to a product; the portal lists the products there are.', 'gatehouse subscribe TEAM/PRODUCT --plan PLAN --app TEAM/APP --env dev --key')),
    more && el('p', { class: 'muted' }, `These are the first ${count(items.length)}; "gatehouse list subscriptions" has all.`));
  }
}

const text = (s) => [s.metadata.team, s.metadata.name, s.spec.application, s.spec.product, s.spec.plan, s.spec.environment, s.status?.state, s.status?.by].join(' ').toLowerCase();

function by(status) {
  if (!status?.by) return status?.askedBy && el('span', { class: 'under' }, `asked by ${status.askedBy}`);
  return el('span', { class: 'under' }, status.by === 'plan' ? 'by the plan' : `by ${status.by}`);
}

function columns(again) {
  return [
    { head: 'Subscription', key: (s) => s.metadata.team + s.metadata.name, cell: (s) => el('button', { type: 'button', class: 'plain', onclick: () => open(s, again) }, `${s.metadata.team}/${s.metadata.name}`) },
    { head: 'Application', key: (s) => s.spec.application, cell: (s) => s.spec.application },
    { head: 'Product', key: (s) => s.spec.product + s.spec.plan, cell: (s) => el('div', {}, s.spec.product, el('span', { class: 'under' }, `plan ${s.spec.plan}`)) },
    { head: 'Environment', key: (s) => s.spec.environment, cell: (s) => s.spec.environment },
    { head: 'State', key: (s) => s.status?.state, cell: (s) => badge(s.status?.state ?? 'unknown') },
    { head: 'Since', key: (s) => s.status?.since, cell: (s) => el('div', {}, when(s.status?.since), by(s.status)) },
    { head: '', cell: (s) => s.status?.state === 'requested' && el('button', { type: 'button', onclick: () => open(s, again) }, 'Decide') },
  ];
}
