import { el, put } from './dom.js';
import { problem } from './problem.js';
import { signIn, signedOut } from './session.js';

// enter signs a reader in to an area of pages and shows the room that the
// address names, then those that are gone to by links, without loading the page
// again. A room is a module /<area>/<name>/<name>.js with show(place, session).
//
// The area is its path's first part; first is the room of its bare address. The
// rooms have name and title, and within, the room that is marked in place of one
// that no link leads to. build(session, main) makes what stands around main, and
// may return what is to be done at each visit.
export async function enter({ area, first, rooms, build }) {
  const page = document.getElementById('page');
  const session = await signIn(page);
  if (!session) return;
  document.body.classList.remove('alone');
  const main = el('main', { id: 'main', tabindex: -1 });
  const visited = build(page, main, session);
  let turn = 0; // counts visits, so that a slow room does not overwrite the next

  async function visit(moved) {
    const mine = ++turn;
    const name = location.pathname.split('/')[2] || first;
    const room = rooms.find((r) => r.name === name);
    for (const a of page.querySelectorAll('a[data-room]')) a.dataset.room === (room?.within ?? name) ? a.setAttribute('aria-current', 'page') : a.removeAttribute('aria-current');
    visited?.();
    document.title = `${room?.title ?? 'No page here'} · Gatehouse`;
    const place = el('div', { class: 'stack' }, el('p', { class: 'busy' }, 'Loading…'));
    put(main, place);
    main.setAttribute('aria-busy', 'true');
    try {
      if (!room) throw new Error('there is no room of this name');
      const { show } = await import(`/${area}/${room.name}/${room.name}.js`);
      await show(place, session);
    } catch (err) {
      if (err.status === 401) return signedOut(page, err);
      if (mine === turn) put(place, el('h1', { tabindex: -1 }, room?.title ?? 'No page here'), problem(err));
    }
    if (mine !== turn) return;
    main.removeAttribute('aria-busy');
    const head = place.querySelector('h1');
    if (head?.textContent) document.title = `${head.textContent} · Gatehouse`;
    if (moved) head?.focus();
  }

  document.addEventListener('click', (e) => {
    const a = e.target.closest?.(`a[href^="/${area}/"]`);
    if (!a || e.defaultPrevented || e.button || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    e.preventDefault();
    a.closest('dialog')?.close();
    history.pushState(null, '', a.getAttribute('href'));
    visit(true);
  });
  addEventListener('popstate', () => visit());
  addEventListener('unhandledrejection', (e) => (e.reason?.status === 401 ? signedOut(page, e.reason) : main.prepend(problem(e.reason))));
  await visit();
}
