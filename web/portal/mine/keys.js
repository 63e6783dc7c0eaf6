// The keys of one subscription: made, rotated and revoked; each shown once.
import { el, put, field, options } from '/shared/dom.js';
import { all, del, path, post } from '/shared/api.js';
import { which } from '/shared/permission.js';
import { deed, form } from '/shared/deed.js';
import { empty } from '/shared/problem.js';
import { secret } from '/shared/secret.js';
import { sheet } from '/shared/sheet.js';
import { sure } from '/shared/sure.js';
import { table } from '/shared/table.js';
import { badge, when } from '/shared/format.js';

export async function keys(s) {
  const at = (...more) => path('teams', s.metadata.team, 'subscriptions', s.metadata.name, 'keys', ...more);
  const ref = `Subscription/${s.metadata.team}/${s.metadata.name}`;
  const may = await which({ create: ['key.create', ref], rotate: ['key.rotate', ref], revoke: ['key.revoke', ref] });
  const place = el('div', { class: 'stack keys' }), said = el('div', { 'aria-live': 'polite' }), shown = el('div', { 'aria-live': 'polite' });
  const draw = async () => {
    const { items } = await all(at());
    const live = items.filter((k) => k.state === 'live');
    put(place, el('h3', {}, 'Keys'), shown, said, table('Keys', [
      { head: 'Key', cell: (k) => el('code', {}, k.id) }, { head: 'State', key: (k) => k.state, cell: (k) => badge(k.state) }, { head: 'Made', key: (k) => k.created, cell: (k) => el('div', {}, when(k.created), el('span', { class: 'under' }, k.createdBy)) },
      { head: 'Ends', cell: (k) => when(k.revoked) ?? when(k.expires) ?? 'with the subscription' },
      { head: '', cell: (k) => k.state === 'live' && el('span', { class: 'row deeds' }, may.rotate && el('button', { type: 'button', onclick: () => rotate(k) }, 'Rotate'), may.revoke && el('button', { type: 'button', class: 'danger', onclick: (e) => revoke(k, e.currentTarget) }, 'Revoke')) },
    ], items, empty('No key yet', 'Make one: it is shown once, here.')), may.create && live.length < 2 && el('div', { class: 'row deeds' }, el('button', { type: 'button', class: 'first', onclick: (e) => create(e.currentTarget) }, live.length ? 'Make a second key' : 'Make a key')));
  };
  const create = (button) => deed(button, said, async () => { const k = await post(at(), {}); put(shown, secret(k.key)); await draw(); });
  const revoke = async (k, button) => { if (sure(button, 'It is refused within a second. Revoke?')) await deed(button, said, async () => { await del(at(k.id)); await draw(); }); };
  const rotate = (k) => {
    const overlap = el('select', {}, options([['1m', 'a minute'], ['1h', 'an hour'], ['24h', 'a day'], ['168h', 'a week']], '24h'));
    const box = sheet('Rotate the key', k.id, () => form([field('How long the old key lives on', overlap)], 'Rotate', async () => { const n = await post(at('rotate'), { key: k.id, overlap: overlap.value }); put(shown, secret(n.key)); box.close(); await draw(); }));
  };
  await draw();
  return place;
}
