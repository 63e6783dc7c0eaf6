// The console's frame: who is signed in, which rooms there are, and which of
// them is shown. A room is a module with show(place, session).
import { el, put, svg } from '/shared/dom.js';
import { problem } from '/shared/problem.js';
import { signIn, signedOut } from '/shared/session.js';

const rooms = [
  { name: 'catalog', title: 'Catalog', icon: 'M4 5h16M4 12h16M4 19h10' },
  { name: 'subscription', title: 'Subscriptions', icon: 'M8 19a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM11 12l8-8M16 7l3 3' },
  { name: 'fleet', title: 'Gateways', icon: 'M4 4h16v6H4zM4 14h16v6H4zM8 7h.01M8 17h.01' },
  { name: 'audit', title: 'Trail', icon: 'M12 3l8 3v6c0 4.5-3.4 7.7-8 9-4.6-1.3-8-4.5-8-9V6zM9 12l2 2 4-4' },
  { name: 'usage', title: 'Usage', icon: 'M5 20V11M12 20V4M19 20v-6' },
  { name: 'access', title: 'You', icon: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c1-4 4-6 8-6s7 2 8 6' },
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
  main = el('main', { id: 'main' });
  put(page, el('div', { class: 'frame' },
    el('header', { class: 'side' },
      el('a', { class: 'brand', href: '/console/' }, el('img', { src: '/shared/mark.svg', alt: '', width: 28, height: 28 }), 'Gatehouse'),
      el('nav', { 'aria-label': 'Rooms' }, el('ul', {}, rooms.map((r) => el('li', {}, el('a', { href: '/console/' + r.name, 'data-room': r.name }, icon(r.icon), r.title))))),
      el('div', { class: 'who' }, el('strong', { id: 'subject' }, session.subject),
        el('span', { class: 'areas' }, el('a', { href: '/portal/' }, 'Portal'), ' · ', el('a', { href: '/reference/' }, 'API reference')))),
    main));
  page.addEventListener('click', follow);
}

function icon(d) {
  return svg('svg', { viewBox: '0 0 24 24', 'aria-hidden': 'true', fill: 'none', stroke: 'currentColor', 'stroke-width': 1.8, 'stroke-linecap': 'round', 'stroke-linejoin': 'round' }, svg('path', { d }));
}

// follow shows links to rooms without loading the page again.
function follow(e) {
  const a = e.target.closest?.('a[href^="/console/"]');
  if (!a || e.defaultPrevented || e.button || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
  e.preventDefault();
  history.pushState(null, '', a.getAttribute('href'));
  visit(true);
}

async function visit(moved) {
  const mine = ++turn;
  const name = location.pathname.split('/')[2] || 'catalog';
  const room = rooms.find((r) => r.name === name);
  for (const a of page.querySelectorAll('a[data-room]')) a.dataset.room === name ? a.setAttribute('aria-current', 'page') : a.removeAttribute('aria-current');
  document.title = `${room?.title ?? 'No page here'} · Gatehouse`;
  const place = el('div', { class: 'stack' }, el('p', { class: 'busy' }, 'Loading…'));
  put(main, place);
  try {
    if (!room) throw new Error('there is no room of this name');
    const { show } = await import(`/console/${room.name}/${room.name}.js`);
    await show(place, session);
  } catch (err) {
    if (err.status === 401) return signedOut(page, err);
    if (mine === turn) put(place, el('h1', { tabindex: -1 }, room?.title ?? 'No page here'), problem(err));
  }
  if (moved && mine === turn) place.querySelector('h1')?.focus();
}
