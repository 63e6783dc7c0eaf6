// Subscribing an application to a plan, and its first key, shown once.
import { el, put, field, options } from '/shared/dom.js';
import { all, post } from '/shared/api.js';
import { form } from '/shared/deed.js';
import { empty } from '/shared/problem.js';
import { copier, secret } from '/shared/secret.js';
import { sheet } from '/shared/sheet.js';
import { teamsThatMay } from '/shared/teams.js';
import { badge } from '/shared/format.js';
import { terms } from '../plan.js';
import { bases } from './product.js';

const name = '[a-z0-9](?:[a-z0-9\\-]*[a-z0-9])?';

export function subscribe({ ref, plan, environments, gateways, versions }) {
  const box = sheet(`Subscribe to ${ref}`, `Plan ${plan.title || plan.name}`, async () => {
    const [teams, applications] = await Promise.all([teamsThatMay('subscription.create'), all('/v1/teams/-/applications').then((a) => a.items, () => [])]);
    if (!teams.length) {
      return [empty('You handle no applications', 'Applications belong to teams. Ask for a team, or have an administrator give you the role consumer on yours; or use the command line with a token that may:'), el('pre', { class: 'command', id: 'command' }, command(ref, plan, 'TEAM/APP', 'ENV'))];
    }
    const own = applications.filter((a) => teams.includes(a.metadata.team)).map((a) => `${a.metadata.team}/${a.metadata.name}`);
    const application = el('select', { onchange: () => draw() }, options([...own.map((a) => [a, a]), ['', 'a new one']], own[0] ?? ''));
    const team = el('select', { onchange: () => draw() }, options(teams, teams[0])), called = el('input', { type: 'text', value: 'my-app', required: true, pattern: name, maxlength: 63, title: 'Lower case letters, digits and dashes', spellcheck: 'false', oninput: () => draw() });
    const fresh = el('div', { class: 'fields' }, field('Team', team), field('Name', called));
    const names = environments.map((e) => e.metadata.name);
    const environment = names.length ? el('select', { onchange: () => draw() }, options(names, names.includes('dev') ? 'dev' : names[0])) : el('input', { type: 'text', required: true, value: 'dev', oninput: () => draw() });
    const key = el('input', { type: 'checkbox', checked: true });
    const line = el('pre', { class: 'command', id: 'command' });
    const app = () => application.value || `${team.value}/${called.value.trim()}`;
    const draw = () => { fresh.hidden = application.value !== ''; called.disabled = fresh.hidden; put(line, command(ref, plan, app(), environment.value)); };
    draw();
    return [el('ul', {}, terms(plan).map((t) => el('li', {}, t))), form([el('div', { class: 'fields' }, field('Application', application), field('Environment', environment)), fresh,
      plan.approval === 'automatic' && el('label', { class: 'tick' }, key, 'Give it its first key, which is shown this once')], 'Subscribe', async () => {
      const answer = await post('/v1/subscribe', { product: ref, plan: plan.name, application: app(), environment: environment.value, key: (plan.approval === 'automatic' && key.checked) || undefined });
      put(box.querySelector('.body'), outcome(answer, { app: app(), environment: environment.value, environments, gateways, versions }));
      box.querySelector('header button').focus();
    }), el('details', {}, el('summary', {}, 'The same with the command line'), line, copier(command(ref, plan, app(), environment.value)))];
  });
}

function outcome(a, { app, environment, environments, gateways, versions }) {
  const e = environments.find((x) => x.metadata.name === environment), v = versions[0]?.version;
  const base = bases(v, environment, e?.spec.hosts, gateways)[0] ?? 'http://GATEWAY';
  return [el('div', { class: 'notice good', id: 'subscribed' }, el('div', { class: 'row' }, el('strong', {}, a.subscription), badge(a.state)),
    el('p', {}, a.state === 'approved' ? `${app} may call in ${environment}.` : 'The owning team decides. Once it has approved, make a key among your applications.')),
  a.key ? secret(a.key, `curl -H "X-API-Key: $KEY" ${base}${v?.path ?? ''}`) : a.state === 'approved' && el('p', {}, 'It has a key already; make or rotate keys among your applications.'),
  el('p', {}, el('a', { class: 'button', href: `/portal/mine?subscription=${encodeURIComponent(a.subscription)}` }, 'Go to my applications'))];
}

const command = (ref, plan, app, environment) => `gatehouse subscribe ${ref} --plan ${plan.name} --app ${word(app)} --env ${word(environment)} --key`;

// word is an argument as a shell takes it.
const word = (text) => (/^[\w./@:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
