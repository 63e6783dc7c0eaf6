// My applications: what they are subscribed to, their keys, how much they call,
// and what is on its way out.
import { el, put } from '/shared/dom.js';
import { all, refOf } from '/shared/api.js';
import { can } from '/shared/permission.js';
import { empty } from '/shared/problem.js';
import { badge, ends, tag, when } from '/shared/format.js';
import { teamsThatMay } from '/shared/teams.js';
import { query } from '/shared/query.js';
import { deprecated } from '../deprecated.js';
import { inside } from '../find/find.js';
import { terms } from '../plan.js';
import { keys } from './keys.js';
import { usage } from './usage.js';

const most = 40; // applications that are shown at once

export async function show(place) {
  const asked = query();
  const [applications, subscriptions, products, apis, teams] = await Promise.all([all('/v1/teams/-/applications'), all('/v1/teams/-/subscriptions'), all('/v1/teams/-/products').then((p) => p.items, () => []), all('/v1/teams/-/apis').then((a) => a.items, () => []), teamsThatMay('subscription.create')]);
  const own = applications.items.filter((a) => teams.includes(a.metadata.team));
  const known = { products: new Map(products.map((p) => [`${p.metadata.team}/${p.metadata.name}`, p])), apis };
  const again = () => show(place);
  put(place, el('div', { class: 'row spread' }, el('h1', { tabindex: -1 }, 'My applications'), el('button', { type: 'button', class: 'noprint', onclick: again }, 'Refresh')), el('p', { class: 'lead' }, 'What your applications may call, with their keys and how much they call.'),
    own.length ? own.slice(0, most).map((a) => application(a, subscriptions.items, known, asked, again)) : el('div', { class: 'card' }, empty('You have no application yet', 'Find a product and subscribe: the application is made on the way.'), el('p', { class: 'said centre' }, el('a', { class: 'button', href: '/portal/' }, 'Find a product'))),
    own.length > most && el('p', { class: 'muted' }, `These are ${most} of ${own.length}; "gatehouse list applications" has all.`));
}

function application(a, subscriptions, known, asked, again) {
  const ref = `${a.metadata.team}/${a.metadata.name}`;
  const list = subscriptions.filter((s) => qualified(s.spec.application, s.metadata.team) === ref).sort((x, y) => over(x) - over(y));
  return el('section', { class: 'card', 'aria-label': 'Application ' + ref }, el('div', { class: 'card-head' }, el('div', {}, el('h2', {}, a.spec.title || ref), el('code', { class: 'muted' }, ref)), el('span', { class: 'row noprint' },
    el('a', { class: 'button', href: `/console/support?new=${encodeURIComponent(a.metadata.team)}&application=${encodeURIComponent(ref)}` }, 'Ask for help'))),
  a.spec.summary && el('p', { class: 'said wrap' }, a.spec.summary),
  list.length ? list.map((s) => subscription(s, known, asked, again)) : el('p', { class: 'said' }, 'It is subscribed to nothing. ', el('a', { href: '/portal/' }, 'Find a product'), '.'), usage(ref, list, known));
}

const qualified = (ref, team) => (ref.includes('/') ? ref : `${team}/${ref}`);
const over = (s) => Number(['rejected', 'expired', 'cancelled'].includes(s.status?.state));

function subscription(s, known, asked, again) {
  const ref = `${s.metadata.team}/${s.metadata.name}`, product = known.products.get(s.spec.product), plan = product?.spec.plans?.find((p) => p.name === s.spec.plan);
  const state = s.status?.state ?? 'unknown';
  const body = el('div', { class: 'stack inside' });
  const box = el('details', { class: 'subscription', open: ref === asked.subscription, ontoggle: (e) => e.currentTarget.open && draw() },
    el('summary', {}, el('span', { class: 'row inline' }, el('strong', {}, product?.spec.title || s.spec.product), tag(`plan ${s.spec.plan}`), tag(s.spec.environment), badge(state))), body);
  let drawn = false; // once: a key that is shown must not go with a second drawing
  const draw = async () => {
    if (drawn) return;
    drawn = true;
    put(body, el('p', { class: 'busy' }, 'Loading…'));
    const ids = product ? inside(product) : [];
    const versions = ids.flatMap((id) => { const { team, name, version } = refOf(id); return (known.apis.find((x) => x.metadata.team === team && x.metadata.name === name)?.spec.versions ?? []).filter((v) => !version || v.name === version).map((v) => [`${team}/${name}@${v.name}`, v]); });
    put(body, versions.map(([id, v]) => deprecated(id, v)), el('p', { class: 'muted' }, 'Since ', when(s.status?.since), s.status?.reason && `: ${s.status.reason}`, s.status?.expires && [', ends ', ends(s.status.expires)], '. ', plan && terms(plan).slice(1).join('; ')),
      el('p', {}, el('a', { href: `/portal/product?product=${encodeURIComponent(s.spec.product)}` }, 'Plans and reference')), state === 'requested' && el('p', {}, 'The owning team decides; you will find the keys here then.'),
      await can('key.list', 'Subscription/' + ref) && !over(s) && state !== 'requested' && await keys(s, again));
  };
  if (ref === asked.subscription) draw();
  return box;
}
