// One entry of the catalog: its facts, what each instance runs, the steps a
// request goes through, and its revisions.
import { el, put, facts } from '/shared/dom.js';
import { get, path } from '/shared/api.js';
import { problem, empty } from '/shared/problem.js';
import { sheet } from '/shared/sheet.js';
import { table } from '/shared/table.js';
import { badge, place as where, short, when } from '/shared/format.js';

export function open(e, asOf) {
  const [team, name] = e.api.split('/');
  const at = (verb) => path('teams', team, 'apis', name, 'versions', e.version, verb);
  sheet(`${e.api}@${e.version}`, `in ${e.environment}${e.gateway ? ', on ' + e.gateway : ''}`, () => [
    facts([['Title', e.title], ['State', badge(e.state)], ['Owner', e.team], ['Audience', e.audience], ['Access', e.access], ['Lifecycle', e.lifecycle], ['Framework', e.framework || 'none'],
      ['Gate', e.gate && el('span', {}, badge(e.gate), e.gateReason && ` ${e.gateReason}`)],
      ['Hosts', e.hosts?.join(', ') || 'any'], ['Path', el('code', {}, e.path)], ['Location', where(e.location)], ['Wanted revision', el('code', {}, e.revision)],
      ['Proposed', e.proposed && el('code', {}, e.proposed)], ['Released', el('span', {}, when(e.since), e.by && ` by ${e.by}`)]]),
    el('div', { class: 'row' }, el('a', { class: 'button', href: `/console/release?api=${encodeURIComponent(`${e.api}@${e.version}`)}` }, 'Releases'), el('a', { class: 'button', href: `/console/gate?api=${encodeURIComponent(`${e.api}@${e.version}`)}&environment=${encodeURIComponent(e.environment)}` }, 'Gate')),
    el('h3', {}, 'What runs'), instances(e),
    asOf ? el('p', { class: 'muted' }, 'Steps and revisions are shown for now only; choose Now in the catalog.') : [
      later('Steps a request goes through', () => steps(at, e)), later('Revisions', () => revisions(at))],
  ]);
}

function instances(e) {
  return table('Instances', [
    { head: 'Instance', cell: (i) => i.instance },
    { head: 'State', cell: (i) => badge(i.state) },
    { head: 'Runs', cell: (i) => (i.revision ? el('code', {}, short(i.revision)) : 'none') },
    { head: 'Acknowledged', cell: (i) => when(i.time) ?? '' },
    { head: 'Reason', cell: (i) => i.reason ?? '' },
  ], e.instances ?? [], empty('No instance runs it', e.gateway ? 'No instance of this gateway has joined.' : 'No gateway runs this environment.', e.gateway && `gatehouse gateway-token create ${e.gateway}`));
}

// later asks for more when the reader does.
function later(title, ask) {
  const body = el('div', {}, el('p', { class: 'busy' }, 'Loading…'));
  const load = async (ev) => {
    if (!ev.target.open || body.dataset.done) return;
    body.dataset.done = 'yes';
    try {
      put(body, await ask());
    } catch (err) {
      put(body, problem(err));
    }
  };
  return el('details', { ontoggle: load }, el('summary', {}, el('strong', {}, title)), body);
}

async function steps(at, e) {
  const { operations } = await get(at('explain'), { environment: e.environment });
  return operations.map((o) => el('div', {}, el('p', {}, o.method && el('span', { class: 'method' }, o.method), el('code', {}, o.path || o.operation), o.path && el('span', { class: 'muted' }, ' ' + o.operation)),
    o.steps?.length ? el('ol', { class: 'steps' }, o.steps.map((s) => el('li', {}, el('strong', {}, s.policy), el('span', { class: 'muted' }, ` from ${s.from} `), s.config && el('code', {}, JSON.stringify(s.config))))) : el('p', { class: 'muted' }, 'No step.')));
}

async function revisions(at) {
  const { items } = await get(at('revisions'), { limit: 20 });
  return table('Revisions, newest first', [
    { head: 'Revision', cell: (r) => el('code', {}, short(r.hash)) }, { head: 'Made', cell: (r) => when(r.created) }, { head: 'By', cell: (r) => r.createdBy },
    { head: 'Wanted in', cell: (r) => (r.environments ?? []).join(', ') },
  ], items, empty('No revision', 'Apply the API to make one.'));
}
