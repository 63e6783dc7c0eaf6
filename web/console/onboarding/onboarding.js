// On-boarding: how teams come onto the platform, or ask for more:
// control/team/onboarding.
import { el, put, field, options } from '/shared/dom.js';
import { all } from '/shared/api.js';
import { can } from '/shared/permission.js';
import { empty } from '/shared/problem.js';
import { table } from '/shared/table.js';
import { ago, badge, count, plural } from '/shared/format.js';
import { query, setQuery } from '/shared/query.js';
import { ask } from './ask.js';
import { open } from './standing.js';

const states = ['requested', 'asked-back', 'answered', 'approved', 'rejected', 'withdrawn'];

export async function show(place, session) {
  const asked = query();
  if (asked.id) return open(place, asked.id, session);
  if (asked.new) return ask(place, session);
  const [{ items, more }, everybody] = await Promise.all([all('/v1/onboardings'), can('onboarding.list')]);
  const found = el('div', { class: 'stack' });
  const state = el('select', { onchange: () => draw() }, options([['', 'All'], ...states], asked.state ?? ''));
  const waiting = items.filter((o) => o.state === 'requested' || o.state === 'answered').length;
  put(place, el('div', { class: 'row spread' }, el('h1', { tabindex: -1 }, 'On-boarding'), el('a', { class: 'button first', href: '/console/onboarding?new=1' }, 'Ask for a team, or for more')),
    el('p', { class: 'lead' }, everybody ? 'Teams that come onto the platform, and teams that ask for more.' : 'What you asked for, and how it stands.'),
    everybody && waiting > 0 && el('div', { class: 'notice warn' }, `${plural(waiting, 'waits', 'wait')} for the provider team.`),
    items.length > 0 && el('div', { class: 'controls noprint' }, field('State', state)), found, more && el('p', { class: 'muted' }, `These are the first ${count(items.length)}; "gatehouse onboard status" has all.`));
  draw();

  function draw() {
    setQuery({ state: state.value });
    const list = items.filter((o) => !state.value || o.state === state.value).sort((a, b) => waits(b) - waits(a) || b.since.localeCompare(a.since));
    put(found, table('On-boardings', columns, list, items.length ? empty('None is in this state', 'Choose another state.')
      : empty(everybody ? 'Nobody has asked yet' : 'You have asked for nothing yet', 'Ask for a team: who is of it, what for, which environments and data. The provider team decides, or a rule of the framework does at once.')));
  }
}

const waits = (o) => Number(['requested', 'answered', 'asked-back'].includes(o.state));

const columns = [
  { head: 'On-boarding', key: (o) => o.id, cell: (o) => el('a', { href: `/console/onboarding?id=${encodeURIComponent(o.id)}` }, o.id) },
  { head: 'Team', key: (o) => o.request.team, cell: (o) => el('div', {}, o.request.team, el('span', { class: 'under' }, o.more ? 'asks for more' : 'is new')) },
  { head: 'State', key: (o) => o.state, cell: (o) => badge(o.state) }, { head: 'Why', cell: (o) => el('span', { class: 'wrap' }, o.request.why) },
  { head: 'Environments', cell: (o) => (o.request.environments ?? []).join(', ') }, { head: 'Asked by', key: (o) => o.askedBy, cell: (o) => o.askedBy }, { head: 'Asked', key: (o) => o.asked, cell: (o) => ago(o.asked) },
  { head: 'Decided by', key: (o) => o.decidedBy, cell: (o) => o.decidedBy ?? '' },
];
