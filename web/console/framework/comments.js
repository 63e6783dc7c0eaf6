// What was said on a version.
import { el, put, field } from '/shared/dom.js';
import { all, post } from '/shared/api.js';
import { form } from '/shared/deed.js';
import { problem } from '/shared/problem.js';
import { when } from '/shared/format.js';

// comments is the list with a place for one more.
export async function comments(at, may) {
  const list = el('div');
  const draw = async () => {
    try {
      const { items } = await all(at('comments'));
      put(list, items.length ? el('ul', { class: 'plain-list' }, items.map((c) => el('li', {}, el('div', { class: 'muted' }, c.by, ' · ', when(c.time)), el('p', { class: 'words' }, c.text)))) : el('p', { class: 'said' }, 'Nobody has said anything yet.'));
    } catch (err) {
      put(list, problem(err));
    }
  };
  await draw();
  const words = el('textarea', { required: true, maxlength: 10000, rows: 3 });
  return el('section', { class: 'card', id: 'comments', 'aria-label': 'Comments' }, el('div', { class: 'card-head' }, el('h2', {}, 'Comments')), list,
    may && el('div', { class: 'foot' }, form([field('Say something', words)], 'Comment', async () => { await post(at('comments'), { text: words.value }); words.value = ''; await draw(); }, '')));
}
