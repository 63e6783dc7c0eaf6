// The portal's frame, for those who write applications: find a product, use it,
// see how that goes.
import { el, put } from '/shared/dom.js';
import { enter } from '/shared/frame.js';
import { problem } from '/shared/problem.js';
import { signOut } from '/shared/session.js';

const rooms = [
  { name: 'find', title: 'Find an API' },
  { name: 'mine', title: 'My applications' },
  { name: 'product', title: 'Product', within: 'find' },
];

await enter({ area: 'portal', first: 'find', rooms, build });

function build(page, main, session) {
  const leave = () => signOut(page).catch((err) => main.prepend(problem(err)));
  put(page, el('header', { class: 'top' }, el('a', { class: 'brand', href: '/portal/' }, el('img', { src: '/shared/mark.svg', alt: '', width: 28, height: 28 }), 'Gatehouse portal'),
    el('nav', { 'aria-label': 'Areas' }, rooms.filter((r) => !r.within).map((r) => el('a', { href: '/portal/' + r.name, 'data-room': r.name }, r.title)), el('a', { href: '/console/support' }, 'Support'), el('a', { href: '/console/' }, 'Console')),
    el('span', { class: 'row who' }, el('span', { class: 'muted' }, session.subject), el('button', { type: 'button', class: 'plain', onclick: leave }, 'Sign out'))), main);
}
