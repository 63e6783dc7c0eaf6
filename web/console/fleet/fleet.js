// Gateways: where traffic is served, by which instances, in which state:
// control/fleet.
import { el, put, facts, link } from '/shared/dom.js';
import { all } from '/shared/api.js';
import { notYours, why } from '/shared/permission.js';
import { empty } from '/shared/problem.js';
import { table } from '/shared/table.js';
import { ago, badge, count, place as where, plural, tag, when } from '/shared/format.js';

export async function show(place) {
  const [gateways, may] = await Promise.all([all('/v1/gateways'), why('instance.list')]);
  const denied = !may.allowed;
  const instances = denied ? [] : (await all('/v1/instances')).items;
  const connected = instances.filter((i) => i.connected).length;
  put(place, el('div', { class: 'row spread' }, el('h1', { tabindex: -1 }, 'Gateways'), el('button', { type: 'button', class: 'noprint', onclick: () => show(place) }, 'Refresh')),
    el('p', { class: 'lead' }, 'Where APIs are served. Gateways go on serving when the control plane is away; here is what each said last.'),
    denied ? notYours(may, 'What runs is not yours to see') : el('p', { class: 'muted' }, `${plural(gateways.items.length, 'gateway')}, ${count(connected)} of ${plural(instances.length, 'instance')} connected.`),
    gateways.items.length === 0 && !denied && el('div', { class: 'card' }, empty('There is no gateway yet', 'Write a document of kind Gateway, apply it, and let an instance join.', 'gatehouse apply -f gateway.yaml\ngatehouse gateway-token create NAME')),
    gateways.items.map((g) => card(g, instances.filter((i) => i.gateway === g.metadata.name), denied)),
    gateways.more && el('p', { class: 'muted' }, `These are the first ${count(gateways.items.length)}; "gatehouse list gateways" has all.`));
}

function card(g, instances, denied) {
  const { name } = g.metadata;
  return el('section', { class: 'card', 'aria-label': 'Gateway ' + name },
    el('div', { class: 'section-head row spread' }, el('div', {}, el('h2', {}, name), el('div', { class: 'muted' }, [g.spec.title, where(g.spec.location)].filter(Boolean).join(' · '))),
      el('div', { class: 'row' }, g.spec.url && link(g.spec.url), tag(g.spec.environment), denied ? null : state(instances))),
    denied ? null : instances.length ? el('div', { class: 'inner' }, list(instances), instances.map(trouble))
      : empty('No instance has joined', 'Make a token, which works once, and start an instance with it where this gateway is:',
        `gatehouse gateway-token create ${name}\ngatehouse-gateway --control ${location.protocol === 'https:' ? location.origin : 'https://CONTROL:9080'} --token TOKEN`));
}

function state(instances) {
  if (!instances.length) return badge('pending', 'no instance');
  const bad = instances.filter((i) => i.state === 'refused' || i.ack?.aside?.length || i.ack?.refused).length;
  const away = instances.filter((i) => !i.connected).length;
  if (bad) return badge('refused', `${plural(bad, 'instance')} refused something`);
  if (away) return badge(away === instances.length ? 'lost' : 'pending', `${count(away)} of ${count(instances.length)} not heard of`);
  return instances.every((i) => i.state === 'live') ? badge('live') : badge('pending');
}

function list(instances) {
  return table('Instances', [
    { head: 'Instance', key: (i) => i.instance, cell: (i) => el('div', {}, el('strong', {}, i.instance), el('span', { class: 'under' }, i.address === 'pipe' ? 'in the process of the control plane' : i.address ?? '')) },
    { head: 'State', key: (i) => i.state, cell: (i) => badge(i.state) },
    { head: 'Connection', cell: (i) => el('div', {}, badge(i.connected ? 'connected' : 'lost', i.connected ? 'connected' : 'not heard of'), el('span', { class: 'under' }, ago(i.seen))) },
    { head: 'Runs serial', num: true, key: (i) => i.ack?.serial, cell: (i) => count(i.ack?.serial) },
    { head: 'Since', cell: (i) => when(i.ack?.time) ?? '' },
    { head: 'Program', key: (i) => i.ack?.program, cell: (i) => i.ack?.program ?? '' },
    { head: 'Certificate until', cell: (i) => when(i.expires) ?? '' },
    { head: 'Backends', cell: backends },
  ], instances, null);
}

function backends(i) {
  const all = i.health?.backends ?? [];
  if (!all.length) return '';
  const ill = all.filter((b) => !b.healthy).length;
  return badge(ill ? 'failing' : 'healthy', ill ? `${count(ill)} of ${count(all.length)} failing` : `${count(all.length)} healthy`);
}

// trouble tells what an instance set aside and which targets fail it.
function trouble(i) {
  const said = [];
  if (i.reason) said.push([i.instance, i.reason]);
  if (i.ack?.refused) said.push(['refused the configuration', i.ack.refused]);
  for (const r of i.ack?.aside ?? []) said.push([r.api ?? 'set aside', r.reason]);
  for (const b of i.health?.backends ?? []) if (!b.healthy) said.push([`backend ${b.backend}`, `${b.target}: ${b.reason || 'fails its checks'}`]);
  if (!said.length) return null;
  return el('div', { class: 'notice bad' }, el('h3', {}, `On ${i.instance}`), facts(said));
}
