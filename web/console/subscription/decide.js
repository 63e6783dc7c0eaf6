// One subscription: its facts, its keys, and the decisions that are the
// reader's to take. The server asks again; this only spares dead ends.
import { el, put, facts, field } from '/shared/dom.js';
import { all, get, path, post, del } from '/shared/api.js';
import { notYours, why } from '/shared/permission.js';
import { problem, empty } from '/shared/problem.js';
import { sheet } from '/shared/sheet.js';
import { sure } from '/shared/sure.js';
import { table } from '/shared/table.js';
import { badge, when } from '/shared/format.js';

// verbs by the state they start from; the product's side decides, of some the
// subscription's too.
const verbs = {
  requested: [['approve', 'Approve', 'first'], ['reject', 'Reject', 'danger'], ['cancel', 'Cancel for good', 'danger', true]],
  approved: [['suspend', 'Suspend', 'danger', true], ['cancel', 'Cancel for good', 'danger', true]],
  suspended: [['resume', 'Resume', 'first'], ['cancel', 'Cancel for good', 'danger', true]],
};

export function open(s, changed) {
  const base = (...more) => path('teams', s.metadata.team, 'subscriptions', s.metadata.name, ...more);
  let dirty = false;
  const box = sheet(`${s.metadata.team}/${s.metadata.name}`, 'Subscription', async ({ draw }) => {
    const now = await get(base());
    const again = () => { dirty = true; draw(); };
    return [about(now), await decisions(now, base, again), el('h3', {}, 'Keys'), await keys(base, again, `${s.metadata.team}/${s.metadata.name}`)];
  });
  box.addEventListener('close', () => dirty && changed());
}

function about({ spec, status }) {
  return facts([['State', badge(status?.state)], ['Since', when(status?.since)], ['Decided by', status?.by === 'plan' ? 'the plan: automatic' : status?.by], ['Reason', status?.reason], ['Asked by', status?.askedBy],
    ['Ends', when(status?.expires)], ['Application', spec.application], ['Product', spec.product], ['Plan', spec.plan], ['Environment', spec.environment]]);
}

async function decisions(now, base, again) {
  const possible = verbs[now.status?.state] ?? [];
  const may = await Promise.all(possible.map(([verb, , , either]) => permitted(now, verb, either)));
  const open = possible.filter((_, i) => may[i].allowed);
  if (!possible.length) return el('p', { class: 'muted' }, 'It has ended. Who wants in again asks again.');
  if (!open.length) return notYours(may[0], 'Not yours to decide');
  const reason = el('textarea', { maxlength: 4000, placeholder: 'Both sides read it, and the trail keeps it.' });
  const said = el('div');
  const act = async (verb, button) => {
    if (verb === 'cancel' && !sure(button, 'Really cancel? Its keys end too.')) return;
    for (const b of row.children) b.disabled = true;
    try {
      await post(base(verb), { reason: reason.value });
      again();
    } catch (err) {
      put(said, problem(err));
      for (const b of row.children) b.disabled = false;
    }
  };
  const row = el('div', { class: 'row' }, open.map(([verb, label, look]) => el('button', { type: 'button', class: look, onclick: (e) => act(verb, e.currentTarget) }, label)));
  return el('div', { class: 'stack' }, !may[0].allowed && notYours(may[0], `Not yours to ${possible[0][0]}`), field('Reason', reason), row, said);
}

// permitted asks for the product's side, and where either side may, for the other.
async function permitted(now, verb, either) {
  const action = 'subscription.' + verb;
  const by = await why(action, 'Product/' + now.spec.product);
  if (by.allowed || !either) return by;
  return why(action, `Subscription/${now.metadata.team}/${now.metadata.name}`);
}

async function keys(base, again, name) {
  let items;
  try {
    ({ items } = await all(base('keys')));
  } catch (err) {
    return problem(err);
  }
  const said = el('div');
  const revoke = async (k, button) => {
    if (!sure(button, 'Really revoke?')) return;
    try {
      await del(base('keys', k.id));
      again();
    } catch (err) {
      put(said, problem(err));
    }
  };
  return [table('Keys', [
    { head: 'Key', cell: (k) => el('code', {}, k.id) }, { head: 'State', cell: (k) => badge(k.state) }, { head: 'Made', cell: (k) => when(k.created) }, { head: 'By', cell: (k) => k.createdBy },
    { head: 'Ends', cell: (k) => when(k.revoked) ?? when(k.expires) ?? 'with the subscription' },
    { head: '', cell: (k) => k.state === 'live' && el('button', { type: 'button', class: 'danger', onclick: (e) => revoke(k, e.currentTarget) }, 'Revoke') },
  ], items, empty('No key', 'Keys are shown once, when they are made, so they are made with the command line.', `gatehouse key create ${name}`)), said];
}
