// The portal lists the products that the person who is signed in may see, with
// their plans, and says how to subscribe.
import { el, put, field } from '/shared/dom.js';
import { all } from '/shared/api.js';
import { problem, empty } from '/shared/problem.js';
import { signIn } from '/shared/session.js';
import { count, tag } from '/shared/format.js';
import { subscribe } from './subscribe.js';

const page = document.getElementById('page');
async function show() {
  document.body.classList.remove('alone');
  document.title = 'Portal · Gatehouse';
  const found = el('div', { class: 'stack', id: 'products' }, el('p', { class: 'busy' }, 'Loading…'));
  const filter = el('input', { type: 'search', placeholder: 'product, API, team…' });
  put(page, el('header', { class: 'top' }, el('a', { class: 'brand', href: '/portal/' }, el('img', { src: '/shared/mark.svg', alt: '', width: 28, height: 28 }), 'Gatehouse portal'),
    el('nav', { 'aria-label': 'Areas' }, el('a', { href: '/console/' }, 'Console'), el('a', { href: '/reference/' }, 'API reference')), el('span', { class: 'muted' }, session.subject)),
  el('main', { id: 'main', class: 'stack' }, el('h1', { tabindex: -1 }, 'Products'), el('p', { class: 'lead' }, 'APIs that your applications can use. Pick a plan, subscribe, get a key, call.'), field('Filter', filter), found));
  try {
    const [products, environments] = await Promise.all([all('/v1/teams/-/products'), all('/v1/environments').catch(() => ({ items: [] }))]);
    const draw = () => list(found, products, environments.items.map((e) => e.metadata.name), filter.value.toLowerCase());
    filter.addEventListener('input', draw);
    draw();
  } catch (err) {
    put(found, problem(err));
  }
}

function list(found, { items, more }, environments, words) {
  const shown = items.filter((p) => [p.metadata.team, p.metadata.name, p.spec.title, p.spec.summary, ...(p.spec.apis ?? [])].join(' ').toLowerCase().includes(words));
  put(found, shown.map((p) => product(p, environments)),
    !shown.length && el('div', { class: 'card' }, items.length ? empty('Nothing matches', 'Take something out of the filter.') : empty('There is no product you may see', 'Teams that expose APIs make products of them; ask the team whose API you want to call.')),
    more && el('p', { class: 'muted' }, `These are the first ${count(items.length)}; "gatehouse list products" has all.`));
}

function product(p, environments) {
  const ref = `${p.metadata.team}/${p.metadata.name}`;
  return el('section', { class: 'card product', 'aria-label': p.spec.title || ref },
    el('div', { class: 'row spread' }, el('h2', {}, p.spec.title || ref), tag(p.spec.audience || 'internal')),
    el('div', { class: 'muted' }, el('code', {}, ref)),
    p.spec.summary && el('p', {}, p.spec.summary),
    el('p', { class: 'row' }, el('span', { class: 'muted' }, 'APIs'), (p.spec.apis ?? []).map(tag)),
    el('div', { class: 'plans' }, (p.spec.plans ?? []).map((plan) => el('section', { class: 'plan', 'aria-label': 'Plan ' + plan.name },
      el('h3', {}, plan.title || plan.name), plan.summary && el('p', {}, plan.summary), el('ul', {}, terms(plan).map((t) => el('li', {}, t))),
      el('button', { type: 'button', onclick: () => subscribe(ref, plan, environments) }, 'How to subscribe')))));
}

// terms tells a plan's terms in words.
function terms(plan) {
  const out = [plan.approval === 'automatic' ? 'Approved at once' : 'Approved by the owning team'];
  if (plan.rateLimit) out.push(`${count(plan.rateLimit.requests)} requests ${every(plan.rateLimit.per)}`);
  if (plan.quota) out.push(`${count(plan.quota.requests)} requests a ${plan.quota.per}`);
  if (!plan.rateLimit && !plan.quota) out.push('No limit of the plan’s own');
  if (plan.sla?.availability) out.push(`${plan.sla.availability} % available in a month`);
  for (const p of ['p50', 'p95', 'p99']) if (plan.sla?.latency?.[p]) out.push(`${p} latency ${plan.sla.latency[p]}`);
  if (plan.sla?.support?.firstResponse) out.push(`Support answers within ${plan.sla.support.firstResponse}`);
  if (plan.expires) out.push(`Ends ${plan.expires} after approval`);
  return out;
}

const units = { '1s': 'a second', '1m': 'a minute', '1h': 'an hour', '1d': 'a day' };

function every(per) {
  return units[per] ?? `per ${per}`;
}

const session = await signIn(page);
if (session) await show();
