// The fields of what is asked for, filled from an earlier request.
import { el, field } from '/shared/dom.js';
import { wish } from '/shared/deed.js';

const clouds = ['aws', 'azure', 'gcp', 'on-prem'];
const classes = [['public', 'public'], ['internal', 'internal'], ['confidential', 'confidential'], ['restricted', 'restricted']];
const name = '[a-z0-9](?:[a-z0-9\\-]*[a-z0-9])?';

// wishes are the fields; value() is the request that they make.
// known are the teams there are: one of those asks for more, and need not say
// again what a new one has to.
export function wishes(was, environments, me, fixed, known = []) {
  const text = (value, props) => el('input', { type: 'text', value: value ?? '', ...props });
  const team = text(was.team, { required: true, maxlength: 63, pattern: name, readonly: Boolean(fixed), title: 'Lower case letters, digits and dashes', spellcheck: 'false', autocapitalize: 'none', id: 'team' });
  const title = text(was.title, { maxlength: 200 }), summary = text(was.summary, { maxlength: 5000 }), costCentre = text(was.costCentre, { maxlength: 100 });
  const why = el('textarea', { required: true, maxlength: 5000, rows: 3, id: 'why' });
  why.value = was.why ?? '';
  const members = el('textarea', { rows: 3, spellcheck: 'false', placeholder: 'user:alice@example.com' });
  members.value = (was.members ?? (fixed ? [] : [me])).join('\n');
  const places = [...new Set([...clouds, ...(was.clouds ?? [])])];
  const where = wish('Environments to release into, at least one', environments.map((e) => [e, e, was.environments ? was.environments.includes(e) : false]), () => isNew());
  const cloud = wish('Clouds', places.map((c) => [c, c, (was.clouds ?? []).includes(c)]));
  const data = wish('Data that will pass through, at least one', classes.map(([v, t]) => [v, t, (was.data ?? []).includes(v)]), () => isNew());
  const email = el('input', { type: 'email', value: was.contacts?.email ?? '', maxlength: 300, required: !fixed }), onCall = text(was.contacts?.onCall, { maxlength: 500 }), channel = text(was.contacts?.channel, { maxlength: 500 });
  const quotas = Object.fromEntries(['apis', 'applications', 'requests'].map((q) => [q, el('input', { type: 'number', min: 1, step: 1, value: was.quotas?.[q] ?? '' })]));
  const isNew = () => !fixed && !known.includes(team.value.trim());
  const judge = () => { email.required = isNew(); where.judge(); data.judge(); };
  team.addEventListener('input', judge);
  judge();
  const number = (input) => (input.value ? Number(input.value) : undefined);
  return {
    node: el('div', { class: 'stack' }, el('div', { class: 'fields' }, field(fixed ? 'Team' : 'Team (a new name, or a team you are of)', team), field('Title, for people', title), field('Cost centre', costCentre)),
      field('What the team does', summary), field('Why it is needed', why), field('Members, one a line (of a new team; they become developers)', members), where.node, cloud.node, data.node,
      el('div', { class: 'fields' }, field('Mail of the team', email), field('On call', onCall), field('Channel', channel)),
      el('details', {}, el('summary', {}, 'How much (left empty, what the framework gives)'), el('div', { class: 'fields' }, field('APIs', quotas.apis), field('Applications', quotas.applications), field('Requests a month', quotas.requests)))),
    value: () => {
      const contacts = { email: email.value || undefined, onCall: onCall.value || undefined, channel: channel.value || undefined };
      const bounds = { apis: number(quotas.apis), applications: number(quotas.applications), requests: number(quotas.requests) };
      const some = (o) => (Object.values(o).some((v) => v !== undefined) ? o : undefined);
      const list = members.value.split(/[\s,]+/).filter(Boolean);
      return { team: team.value.trim(), title: title.value || undefined, summary: summary.value || undefined, why: why.value, costCentre: costCentre.value || undefined, members: list.length ? list : undefined,
        environments: where.checked(), clouds: cloud.checked(), data: data.checked(), contacts: some(contacts), quotas: some(bounds) };
    },
  };
}
