// Catalog shows all that is exposed, now or at a past moment: control/catalog.
import { el, put, field, options } from '/shared/dom.js';
import { exposed } from '/shared/api.js';
import { everywhere } from '/shared/permission.js';
import { problem, empty } from '/shared/problem.js';
import { table } from '/shared/table.js';
import { badge, count, place as where, plural, short, tag, when } from '/shared/format.js';
import { query, setQuery, fromLocal, toLocal } from '/shared/query.js';
import { open } from './entry.js';

export async function show(place, session) {
  const asked = query();
  const found = el('div', { class: 'stack' });
  const told = el('p', { role: 'status', class: 'hidden-text' });
  const filter = el('input', { type: 'search', value: asked.q ?? '', placeholder: 'API, owner, path, gateway, state…', oninput: () => draw() });
  const environment = el('select', { onchange: () => draw() }, options([['', 'All']], ''));
  const moment = el('input', { type: 'datetime-local', step: 1, value: toLocal(asked.asOf), onchange: () => load() });
  const now = el('button', { type: 'button', onclick: () => { moment.value = ''; load(); } }, 'Now');
  let answer = { items: [] };

  put(place, el('h1', { tabindex: -1 }, 'Catalog'), el('p', { class: 'lead' }, 'Everything that is exposed, and what each gateway really runs.'),
    el('div', { class: 'controls noprint' }, el('label', { class: 'field grow' }, el('span', {}, 'Filter'), filter), field('Environment', environment), field('As of (your time zone)', moment), now), told, found);

  function draw() {
    setQuery({ q: filter.value, environment: environment.value, asOf: fromLocal(moment.value) });
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const items = answer.items.filter((e) => (!environment.value || e.environment === environment.value) && words.every((w) => text(e).includes(w)));
    const past = moment.value !== '';
    put(told, `${count(items.length)} of ${plural(answer.items.length, 'entry', 'entries')}`);
    put(found, past && el('div', { class: 'notice' }, 'As it was at ', when(answer.asOf), '. Nothing on this page is of now.'), tiles(items),
      table('What is exposed', columns(answer.asOf, past), items, nothing(answer.items.length, past, everywhere(session))));
  }

  async function load() {
    try {
      answer = await exposed({ asOf: fromLocal(moment.value) });
    } catch (err) {
      return put(found, problem(err));
    }
    const chosen = environment.value || asked.environment || '';
    const names = [...new Set(answer.items.map((e) => e.environment))].sort();
    put(environment, options([['', 'All'], ...names], names.includes(chosen) ? chosen : ''));
    draw();
  }
  await load();
}

const text = (e) => [e.api, e.version, e.title, e.team, e.environment, e.stage, e.gateway, where(e.location), e.audience, e.lifecycle, e.framework, e.path, ...(e.hosts ?? []), e.revision, e.state].join(' ').toLowerCase();

function tiles(items) {
  const distinct = (f) => new Set(items.map(f)).size;
  const wrong = items.filter((e) => e.state === 'refused').length;
  const waits = items.filter((e) => e.state !== 'live' && e.state !== 'refused').length;
  const tile = (n, label, tone) => el('div', { class: 'tile card ' + (n && tone ? tone : '') }, el('b', {}, count(n)), el('span', {}, label));
  const outside = new Set(items.filter((e) => e.audience !== 'internal').map((e) => `${e.api}@${e.version}`)).size;
  return el('div', { class: 'tiles' },
    tile(distinct((e) => `${e.api}@${e.version}`), 'API versions exposed'), tile(outside, 'beyond the company'), tile(distinct((e) => e.team), 'owning teams'),
    tile(distinct((e) => e.environment), 'environments'), tile(wrong, 'refused by a gateway', 'bad'), tile(waits, 'not live yet', 'warn'));
}

function columns(asOf, past) {
  return [
    { head: 'API', key: (e) => e.api + e.version, cell: (e) => [el('button', { type: 'button', class: 'plain', onclick: () => open(e, past ? asOf : '') }, `${e.api}@${e.version}`), e.title && el('span', { class: 'under' }, e.title)] },
    { head: 'Environment', key: (e) => e.environment, cell: (e) => el('div', {}, e.environment, e.stage && e.stage !== e.environment && el('span', { class: 'under' }, e.stage)) },
    { head: 'Gateway', key: (e) => e.gateway, cell: (e) => el('div', {}, e.gateway || 'none', e.location && el('span', { class: 'under' }, where(e.location))) },
    { head: 'Audience', key: (e) => e.audience, cell: (e) => tag(e.audience) },
    { head: 'Lifecycle', key: (e) => e.lifecycle, cell: (e) => tag(e.lifecycle) },
    { head: 'Owner', key: (e) => e.team, cell: (e) => e.team },
    { head: 'Path', key: (e) => e.path, cell: (e) => el('div', {}, el('code', {}, e.path), e.hosts?.length > 0 && el('span', { class: 'under' }, e.hosts.join(', '))) },
    { head: 'Wanted, runs', key: (e) => e.revision, cell: (e) => el('div', {}, el('code', {}, short(e.revision)), el('span', { class: 'under' }, runs(e))) },
    { head: 'State', key: (e) => e.state, cell: (e) => el('div', {}, badge(e.state), e.proposed && el('span', { class: 'under' }, `${short(e.proposed)} waits for approval`)) },
  ];
}

// runs tells what the instances run, where it is not what is wanted too.
function runs(e) {
  const all = e.instances ?? [];
  if (!all.length) return 'runs nowhere';
  const same = all.filter((i) => i.revision === e.revision).length;
  const others = [...new Set(all.filter((i) => i.revision && i.revision !== e.revision).map((i) => short(i.revision)))];
  return `runs on ${count(same)} of ${plural(all.length, 'instance')}` + (others.length ? `; else ${others.join(', ')}` : '');
}

function nothing(any, past, all) {
  if (any) return empty('Nothing matches', 'Take something out of the filter, or choose all environments.');
  if (past) return empty('Nothing was exposed at that moment', 'Choose a later moment, or Now.');
  if (!all) return empty('Nothing is exposed that you may see', 'A role for a team, an environment or an API shows you what it exposes; the page You tells what you were given.');
  return empty('Nothing is exposed yet', 'Bring in an OpenAPI file, apply what that writes, and it appears here:',
    'gatehouse import openapi petstore.yaml --team pets --backend http://127.0.0.1:8081 -o pets/\ngatehouse apply -f pets/');
}
