// Finding a product: those that the reader may see, by what they are called and
// which APIs are in them.
import { el, put } from '/shared/dom.js';
import { all } from '/shared/api.js';
import { empty } from '/shared/problem.js';
import { count, plural, tag } from '/shared/format.js';
import { query, setQuery } from '/shared/query.js';
import { terms } from '../plan.js';

const pageSize = 30;

export async function show(place) {
  const [products, apis] = await Promise.all([all('/v1/teams/-/products'), all('/v1/teams/-/apis').catch(() => ({ items: [] }))]);
  const titles = new Map(apis.items.map((a) => [`${a.metadata.team}/${a.metadata.name}`, `${a.spec.title ?? ''} ${a.spec.summary ?? ''}`]));
  const found = el('div', { class: 'stack', id: 'products' });
  const told = el('p', { class: 'muted', role: 'status' });
  let shown = pageSize;
  const filter = el('input', { type: 'search', value: query().q ?? '', placeholder: 'product, API, team…', oninput: () => { shown = pageSize; draw(); } });
  put(place, el('h1', { tabindex: -1 }, 'Products'), el('p', { class: 'lead' }, 'APIs that your applications can use. Pick a plan, subscribe, get a key, call.'),
    el('label', { class: 'field search' }, el('span', {}, 'Find'), filter), told, found, products.more && el('p', { class: 'muted' }, `These are the first ${count(products.items.length)}; "gatehouse list products" has all.`));
  draw();

  function draw() {
    setQuery({ q: filter.value });
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const list = products.items.filter((p) => words.every((w) => text(p, titles).includes(w)));
    put(told, filter.value ? plural(list.length, 'product') : '');
    put(found, list.slice(0, shown).map(product), !list.length && el('div', { class: 'card' }, products.items.length ? empty('Nothing matches', 'Take something out of what you look for.') : empty('There is no product you may see', 'Teams that expose APIs make products of them, and say for which audience. Ask the team whose API you want to call, or join a team first.')),
      list.length > shown && el('div', { class: 'row' }, el('button', { type: 'button', onclick: () => { shown += pageSize; draw(); } }, 'Show more')));
  }
}

// inside are the APIs of a product, with their team: "payments/orders@v1".
export const inside = (p) => (p.spec.apis ?? []).map((a) => (a.includes('/') ? a : `${p.metadata.team}/${a}`));

const text = (p, titles) => [p.metadata.team, p.metadata.name, p.spec.title, p.spec.summary, ...inside(p).flatMap((a) => [a, titles.get(a.split('@')[0])])].join(' ').toLowerCase();

function product(p) {
  const ref = `${p.metadata.team}/${p.metadata.name}`, at = `/portal/product?product=${encodeURIComponent(ref)}`;
  return el('section', { class: 'card product', 'aria-label': p.spec.title || ref },
    el('div', { class: 'row spread' }, el('h2', {}, el('a', { href: at }, p.spec.title || ref)), tag(p.spec.audience || 'internal')), el('div', { class: 'muted' }, el('code', {}, ref)),
    p.spec.summary && el('p', { class: 'wrap' }, p.spec.summary), el('p', { class: 'row' }, el('span', { class: 'muted' }, 'APIs'), inside(p).map(tag)),
    el('div', { class: 'plans' }, (p.spec.plans ?? []).map((plan) => el('section', { class: 'plan', 'aria-label': 'Plan ' + plan.name }, el('h3', {}, plan.title || plan.name), plan.summary && el('p', {}, plan.summary), el('ul', {}, terms(plan).map((t) => el('li', {}, t))),
      el('a', { class: 'button', href: `${at}&plan=${encodeURIComponent(plan.name)}`, 'aria-label': `Look at plan ${plan.name} of ${p.spec.title || ref}` }, 'Look and subscribe')))));
}
