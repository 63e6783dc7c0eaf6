// How much an application called, and what of its plans' quotas is used.
import { el, put } from '/shared/dom.js';
import { all, get } from '/shared/api.js';
import { can } from '/shared/permission.js';
import { problem } from '/shared/problem.js';
import { table } from '/shared/table.js';
import { count, span } from '/shared/format.js';

// usage is unfolded by who wants it, and asked for then.
export function usage(ref, subscriptions, known) {
  const body = el('div', { class: 'stack inside' });
  const load = async (e) => {
    if (!e.currentTarget.open || body.childNodes.length) return;
    put(body, el('p', { class: 'busy' }, 'Loading…'));
    try {
      put(body, await draw(ref, subscriptions, known));
    } catch (err) {
      put(body, problem(err));
    }
  };
  return el('details', { class: 'subscription', ontoggle: load }, el('summary', {}, 'Usage, and what it was promised'), body);
}

async function draw(application, subscriptions, known) {
  if (!await can('usage.get', 'Application/' + application)) return el('p', { class: 'muted' }, 'How much it calls is not yours to see.');
  const to = new Date(), month = new Date(Date.UTC(to.getUTCFullYear(), to.getUTCMonth(), 1));
  const ask = { application, from: month.toISOString(), to: to.toISOString() };
  const [byAPI, byClass, byPlan, levels] = await Promise.all([...['api', 'api,class', 'product,plan,environment'].map((by) => get('/v1/usage', { ...ask, by })), can('sla.get', 'Application/' + application).then((may) => (may ? all('/v1/sla', { application }) : { items: [] })).catch(() => ({ items: [] }))]);
  const of = (api, test) => byClass.items.filter((r) => r.api === api && test(r.class)).reduce((n, r) => n + r.requests, 0);
  return [quotas(subscriptions, known, byPlan.items), table('Usage this month', [
    { head: 'API, this month', key: (r) => r.api, cell: (r) => r.api || 'no API' }, { head: 'Requests', num: true, key: (r) => r.requests, cell: (r) => count(r.requests) },
    { head: 'Turned down (4xx)', num: true, cell: (r) => count(of(r.api, (c) => c === 4)) }, { head: 'Failed (5xx)', num: true, cell: (r) => count(of(r.api, (c) => c === 5)) }, { head: 'p95 at most', num: true, cell: (r) => span(r.p95) },
  ], byAPI.items, el('p', { class: 'said' }, 'It has called nothing this month.')), promised(levels.items ?? [])];
}

// quotas shows what of each plan's monthly quota is used.
function quotas(subscriptions, known, rows) {
  return subscriptions.map((s) => {
    const quota = known.products.get(s.spec.product)?.spec.plans?.find((p) => p.name === s.spec.plan)?.quota;
    if (quota?.per !== 'month') return null;
    const used = rows.filter((r) => r.product === s.spec.product && r.plan?.split('/').pop() === s.spec.plan && r.environment === s.spec.environment).reduce((n, r) => n + r.requests, 0);
    const percent = Math.round((100 * used) / quota.requests);
    return el('div', {}, el('div', { class: 'row spread' }, el('span', {}, `${s.spec.product}, plan ${s.spec.plan}, ${s.spec.environment}`), el('span', { class: 'muted' }, `${count(used)} of ${count(quota.requests)} requests this month (${percent} %)`)),
      el('meter', { class: 'full', min: 0, max: 100, low: 80, high: 99, optimum: 0, value: Math.min(100, percent), 'aria-label': `${percent} per cent of the monthly quota used` }));
  });
}

function promised(items) {
  if (!items.length) return null;
  return table('What was promised', [
    { head: 'Promise', cell: (p) => `${p.product}, plan ${p.plan}` }, { head: 'Environment', cell: (p) => p.environment ?? '' },
    { head: 'Availability', cell: (p) => p.availability && el('span', {}, p.availability.verdict === 'no data' ? 'nothing counted' : `${Number(p.availability.measured.toFixed(3))} %`, el('span', { class: 'under' }, `promised ${p.availability.promised} %: ${p.availability.verdict}`)) },
    { head: 'Latency', cell: (p) => (p.latency ?? []).map((l) => el('span', { class: 'under' }, `p${l.percent} promised ${l.promised}: ${l.verdict}`)) },
    { head: 'Support', cell: (p) => p.support && `${count(p.support.requests)} asked, ${count(p.support.firstResponse.missed)} answered too late` },
  ], items, null);
}
