// One product: its APIs and what they offer, its plans, and subscribing.
import { el, put, facts, link } from '/shared/dom.js';
import { all, exposed as catalog, get, path, refOf } from '/shared/api.js';
import { can, notYours, why } from '/shared/permission.js';
import { empty } from '/shared/problem.js';
import { badge, tag } from '/shared/format.js';
import { query } from '/shared/query.js';
import { inside } from '../find/find.js';
import { terms } from '../plan.js';
import { deprecated } from '../deprecated.js';
import { reference } from './reference.js';
import { subscribe } from './subscribe.js';

export async function show(place) {
  const asked = query();
  const { team, name } = refOf(asked.product);
  if (!name) return put(place, el('h1', { tabindex: -1 }, 'Product'), el('div', { class: 'card' }, empty('Which product?', 'The list of products leads to each of them.')));
  const sees = await why('product.get', `Product/${team}/${name}`);
  if (!sees.allowed) return put(place, el('h1', { tabindex: -1 }, asked.product), notYours(sees));
  const [p, environments, gateways, apis, exposed] = await Promise.all([get(path('teams', team, 'products', name)), all('/v1/environments').then((e) => e.items, () => []), all('/v1/gateways').then((g) => g.items, () => []), all('/v1/teams/-/apis').then((a) => a.items, () => []), catalog().then((c) => c.items, () => [])]);
  const ref = `${team}/${name}`;
  const versions = inside(p).flatMap((id) => expand(id, apis));
  put(place, el('div', {}, el('p', { class: 'crumbs' }, el('a', { href: '/portal/' }, 'Products'), ` / ${ref}`), el('div', { class: 'row spread' }, el('h1', { tabindex: -1 }, p.spec.title || ref), tag(p.spec.audience || 'internal'))),
    p.spec.summary && el('p', { class: 'lead' }, p.spec.summary), versions.map((v) => deprecated(v.id, v.version)),
    el('section', { class: 'stack', 'aria-label': 'Plans' }, el('h2', {}, 'Plans'), el('div', { class: 'plans' }, (p.spec.plans ?? []).map((plan) => el('section', { class: 'plan card' + (plan.name === asked.plan ? ' chosen' : ''), 'aria-label': 'Plan ' + plan.name },
      el('h3', {}, plan.title || plan.name), plan.summary && el('p', {}, plan.summary), el('ul', {}, terms(plan).map((t) => el('li', {}, t))),
      el('button', { type: 'button', class: plan.name === asked.plan ? 'first' : '', 'aria-label': `Subscribe to plan ${plan.name}`, onclick: () => subscribe({ ref, plan, environments: served(environments, versions, exposed), gateways, versions }) }, 'Subscribe'))))),
    el('section', { class: 'stack', 'aria-label': 'APIs' }, el('h2', {}, 'What you can call'), versions.length ? await Promise.all(versions.map((v) => api(v, exposed, gateways)))
      : el('div', { class: 'card' }, empty('Its APIs are not yours to see', 'The plans above are. Once you are subscribed, its owners can tell what there is; ask them for help.'))));
}

// served are the environments in which something of the product lives, all of
// them where the reader cannot see that.
function served(environments, versions, exposed) {
  const lives = new Set(exposed.filter((e) => e.revision && versions.some((v) => v.id === `${e.api}@${e.version}`)).map((e) => e.environment));
  return lives.size ? environments.filter((e) => lives.has(e.metadata.name)) : environments;
}

// expand is an API of a product as its versions that are served.
function expand(id, apis) {
  const { team, name, version } = refOf(id);
  const api = apis.find((a) => a.metadata.team === team && a.metadata.name === name);
  return (api?.spec.versions ?? []).filter((v) => (!version || v.name === version) && v.lifecycle !== 'retired' && v.lifecycle !== 'design').map((v) => ({ id: `${team}/${name}@${v.name}`, api, version: v }));
}

async function api({ id, api: a, version: v }, exposed, gateways) {
  const s = a.spec.support ?? {};
  const may = await can('api.get', 'API/' + id.split('@')[0]);
  return el('section', { class: 'card', 'aria-label': id }, el('div', { class: 'card-head' }, el('div', {}, el('h3', {}, a.spec.title || id, ' ', el('code', { class: 'muted' }, v.name)), a.spec.summary && el('p', { class: 'muted wrap' }, a.spec.summary)), el('span', { class: 'row' }, badge(v.lifecycle ?? 'published'), tag({ subscription: 'with a key', token: 'with a token', open: 'open' }[v.access ?? 'subscription']))),
    el('div', { class: 'foot plain' }, facts([['API', el('code', {}, id)], ['Called at', addresses(id, v, exposed, gateways)], ['Data', a.spec.data && [a.spec.data.classification, a.spec.data.personal && 'personal', ...(a.spec.data.jurisdictions ?? [])].filter(Boolean).join(', ')],
      ['Help', s.contact], ['Hours', s.hours], ['More', s.docs && link(s.docs)]])), may && reference(id));
}

// addresses are where a version is called, by the environments it lives in.
function addresses(id, v, exposed, gateways) {
  const lives = exposed.filter((e) => `${e.api}@${e.version}` === id && e.revision);
  const lines = [...new Map(lives.map((e) => [e.environment, e])).values()].flatMap((e) => {
    const found = bases(v, e.environment, e.hosts, gateways);
    return found.length ? found.map((base) => [e.environment, base + e.path]) : [[e.environment, e.path, 'its gateways name no address; ask who runs them']];
  });
  if (!lines.length) return el('span', {}, el('code', {}, v.path), el('span', { class: 'muted' }, ', but it lives in no environment that you may see'));
  return el('ul', { class: 'bare' }, lines.map(([e, at, note]) => el('li', {}, tag(e), ' ', el('code', { class: 'wrap' }, at), note && el('span', { class: 'muted' }, ` (${note})`))));
}

// bases are the addresses of an environment, as gateways and hosts say them.
export function bases(v, environment, hosts, gateways) {
  const urls = gateways.filter((g) => g.spec.environment === environment && g.spec.url).map((g) => g.spec.url.replace(/\/$/, ''));
  return urls.length ? urls : (v?.hosts ?? hosts ?? []).map((h) => `https://${h}`);
}
