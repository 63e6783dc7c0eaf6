// You: who is signed in, what they were given, and what proves it is them:
// control/access.
import { el, put, facts } from '/shared/dom.js';
import { all, del, get, path } from '/shared/api.js';
import { problem, empty } from '/shared/problem.js';
import { table } from '/shared/table.js';
import { sure } from '/shared/sure.js';
import { signOut } from '/shared/session.js';
import { badge, tag, when } from '/shared/format.js';

export async function show(place) {
  const [me, tokens, sessions] = await Promise.all([get('/v1/whoami'), all('/v1/tokens').catch((err) => err), all('/v1/sessions').catch((err) => err)]);
  const said = el('div', { 'aria-live': 'polite' });
  const again = () => show(place);
  const mine = me.authentication.split(':')[1];
  const leave = async () => {
    try {
      await signOut(document.getElementById('page'));
    } catch (err) {
      put(said, problem(err));
    }
  };
  put(place, el('div', { class: 'row spread' }, el('h1', { tabindex: -1 }, 'You'), el('button', { type: 'button', id: 'sign-out', onclick: leave }, 'Sign out')), said,
    el('section', { class: 'card padded' }, facts([['Signed in as', el('strong', {}, me.subject)], ['Proved by', el('code', {}, me.authentication)], ['Groups', (me.groups ?? []).join(', ') || 'none']])),
    el('h2', {}, 'What you were given'),
    table('Assignments', [
      { head: 'Role', key: (a) => a.role, cell: (a) => tag(a.role) }, { head: 'In', key: (a) => a.scope, cell: (a) => a.scope }, { head: 'To', cell: (a) => a.subject },
      { head: 'By assignment', cell: (a) => a.name ?? a.implied ?? '' }, { head: 'Until', cell: (a) => when(a.expires) ?? 'for good' },
    ], me.assignments, empty('You were given nothing yet', 'An administrator gives you a role with a document of kind RoleAssignment. Ask who that is:', 'gatehouse access who role-assignment.put')),
    secrets('Your tokens', tokens, 'tokens', said, again, null, empty('You have no token', 'The command line and pipelines use tokens.', 'gatehouse token create --name "my laptop" --life 30d')),
    secrets('Your sessions', sessions, 'sessions', said, again, mine, empty('No session', 'Sessions of the console are listed here.')));
}

function secrets(title, list, kind, said, again, mine, none) {
  const end = async (t, button) => {
    if (!sure(button, t.id === mine ? 'End this session?' : 'Really end it?')) return;
    try {
      await del(path(kind, t.id));
      if (t.id === mine) location.reload();
      else again();
    } catch (err) {
      put(said, problem(err));
    }
  };
  return [el('h2', {}, title), list instanceof Error ? problem(list) : table(title, [
    { head: 'Id', cell: (t) => el('div', {}, el('code', {}, t.id), t.id === mine && el('span', { class: 'under' }, 'this browser')) },
    ...(kind === 'tokens' ? [{ head: 'For', cell: (t) => t.name ?? '' }] : []),
    { head: 'State', cell: (t) => badge(t.state) },
    { head: 'Made', cell: (t) => when(t.created) }, { head: 'By', cell: (t) => t.createdBy }, { head: 'Ends', cell: (t) => when(t.revoked) ?? when(t.expires) ?? 'never' },
    { head: '', cell: (t) => t.state === 'live' && el('button', { type: 'button', class: 'danger', onclick: (e) => end(t, e.currentTarget) }, kind === 'tokens' ? 'Revoke' : 'End') },
  ], list.items, none)];
}
