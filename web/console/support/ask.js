// Asking for help.
import { el, put, field, options } from '/shared/dom.js';
import { all, base64, post } from '/shared/api.js';
import { form } from '/shared/deed.js';
import { empty } from '/shared/problem.js';
import { setQuery } from '/shared/query.js';
import { open } from './request.js';
import { teamsThatMay } from '/shared/teams.js';

const categories = ['question', 'incident', 'access', 'change', 'onboarding', 'other'];
const maxFile = 1 << 20; // bytes, as the API takes them

export async function ask(place, asked, session) {
  const [teams, apis, applications] = await Promise.all([teamsThatMay('support.open'), all('/v1/teams/-/apis').then((a) => a.items, () => []), all('/v1/teams/-/applications').then((a) => a.items, () => [])]);
  const head = el('div', {}, el('p', { class: 'crumbs' }, el('a', { href: '/console/support' }, 'Support'), ' / Ask'), el('h1', { tabindex: -1 }, 'Ask for help'), el('p', { class: 'lead' }, 'What is promised, and the hours in which its clocks run, are fixed when you ask: by the best plan under which your team uses the API, else by the API or the helping team.'));
  if (!teams.length) return put(place, head, el('div', { class: 'card' }, empty('You are of no team that asks', 'Support is asked by teams. Ask for a team first; its members may then ask for help.')));
  const team = el('select', { onchange: () => own() }, options(teams, teams.includes(asked.new) ? asked.new : teams[0]));
  const versions = apis.flatMap((a) => (a.spec.versions ?? []).map((v) => `${a.metadata.team}/${a.metadata.name}@${v.name}`));
  const about = el('select', {}, options([['', 'the provider team: the platform itself'], ...versions.map((v) => [v, v])], asked.api ?? ''));
  const application = el('select', {});
  const own = () => put(application, options([['', 'none'], ...applications.filter((a) => a.metadata.team === team.value).map((a) => [`${a.metadata.team}/${a.metadata.name}`, a.metadata.name])], asked.application ?? ''));
  own();
  const category = el('select', {}, options(categories, asked.api ? 'incident' : 'question')), severity = el('select', {}, options([['low', 'low: it can wait'], ['medium', 'medium'], ['high', 'high: work is held up'], ['critical', 'critical: work stands still']], 'medium'));
  const title = el('input', { type: 'text', required: true, maxlength: 200, id: 'title' }), text = el('textarea', { required: true, maxlength: 20000, rows: 7, id: 'text' });
  const files = el('input', { type: 'file', multiple: true });
  put(place, head, form([el('div', { class: 'fields' }, field('Team that asks', team), field('About', about), field('Application', application), field('Category', category), field('Severity', severity)),
    field('In a few words', title), field('What happens, since when, and what you expected', text), field('Files (1 MiB each at most)', files)], 'Ask', async () => {
    const q = await post('/v1/support', { team: team.value, api: about.value || undefined, provider: about.value ? undefined : true, application: application.value || undefined, category: category.value, severity: severity.value,
      title: title.value, text: text.value, attachments: await uploads(files) });
    history.pushState(null, '', '/console/support');
    setQuery({ id: q.id });
    await open(place, q.id, session);
    place.querySelector('h1').focus();
  }));
}

// uploads are the chosen files as requests carry them.
export async function uploads(input) {
  const list = [];
  for (const f of input.files ?? []) {
    if (f.size > maxFile) throw new Error(`${f.name} is larger than 1 MiB; shorten it, or put it where a link leads to it.`);
    list.push({ name: f.name, content: await base64(f) });
  }
  return list.length ? list : undefined;
}
