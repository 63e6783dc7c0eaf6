// The portal's frame, for those who write applications: find a product, use it,
// see how that goes. A room is a module with show(place, session).
import { el, put } from '/shared/dom.js';
import { problem } from '/shared/problem.js';
import { signIn, signedOut, signOut } from '/shared/session.js';

const rooms = [
  { name: 'find', title: 'Find an API' },
  { name: 'mine', title: 'My applications' },
  { name: 'product', title: 'Product', within: 'find' },
];

const page = document.getElementById('page');
let main;
let turn = 0; // counts visits, so that a slow room does not overwrite the next

const session = await signIn(page);
if (session) {
  frame();
  addEventListener('popstate', () => visit());
  addEventListener('unhandledrejection', (e) => (e.reason?.status === 401 ? signedOut(page, e.reason) : main.prepend(problem(e.reason))));
  await visit();
}

function frame() {
  document.body.classList.remove('alone');
  main = el('main', { id: 'main', tabindex: -1 });
  const leave = () => signOut(page).catch((err) => main.prepend(problem(err)));
  put(page, el('header', { class: 'top' }, el('a', { class: 'brand', href: '/portal/' }, el('img', { src: '/shared/mark.svg', alt: '', width: 28, height: 28 }), 'Gatehouse portal'),
    el('nav', { 'aria-label': 'Areas' }, rooms.filter((r) => !r.within).map((r) => el('a', { href: '/portal/' + r.name, 'data-room': r.name }, r.title)), el('a', { href: '/console/support' }, 'Support'), el('a', { href: '/console/' }, 'Console')),
    el('span', { class: 'row who' }, el('span', { class: 'muted' }, session.subject), el('button', { type: 'button', class: 'plain', onclick: leave }, 'Sign out'))), main);
  document.addEventListener('click', follow);
}

// follow shows links to rooms without loading the page again.
function follow(e) {
  const a = e.target.closest?.('a[href^="/portal/"]');
  if (!a || e.defaultPrevented || e.button || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
  e.preventDefault();
  a.closest('dialog')?.close();
  history.pushState(null, '', a.getAttribute('href'));
  visit(true);
}

async function visit(moved) {
  const mine = ++turn;
  const name = location.pathname.split('/')[2] || 'find';
  const room = rooms.find((r) => r.name === name);
  for (const a of page.querySelectorAll('a[data-room]')) a.dataset.room === (room?.within ?? name) ? a.setAttribute('aria-current', 'page') : a.removeAttribute('aria-current');
  const place = el('div', { class: 'stack' }, el('p', { class: 'busy' }, 'Loading…'));
  put(main, place);
  main.setAttribute('aria-busy', 'true');
  try {
    if (!room) throw new Error('there is no room of this name');
    const { show } = await import(`/portal/${room.name}/${room.name}.js`);
    await show(place, session);
  } catch (err) {
    if (err.status === 401) return signedOut(page, err);
    if (mine === turn) put(place, el('h1', { tabindex: -1 }, room?.title ?? 'No page here'), problem(err));
  }
  if (mine !== turn) return;
  main.removeAttribute('aria-busy');
  document.title = `${place.querySelector('h1')?.textContent || 'Portal'} · Gatehouse`;
  if (moved) place.querySelector('h1')?.focus();
}
