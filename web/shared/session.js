import { el, put } from './dom.js';
import { Problem, get, post } from './api.js';
import { problem } from './problem.js';

// signIn takes a login code out of the address, so that it stays in no history
// and no screenshot, and opens a session with it. It returns who is signed in,
// or null after showing in place how to sign in.
export async function signIn(place) {
  const code = takeCode();
  let refused = null;
  if (code) {
    try {
      await post('/v1/login', { code });
    } catch (err) {
      refused = err;
    }
  }
  try {
    return await get('/v1/whoami');
  } catch (err) {
    if (code && !refused && err.status === 401) {
      refused = new Problem(0, { title: 'The browser did not keep the session', detail: 'Over plain HTTP browsers keep it only for this machine itself (127.0.0.1 or localhost). From elsewhere, use an https:// address of Gatehouse.' });
    }
    signedOut(place, refused ?? (err.status === 401 ? null : err));
    return null;
  }
}

function takeCode() {
  const here = new URL(location.href);
  const code = here.searchParams.get('code');
  if (code === null) return '';
  here.searchParams.delete('code');
  history.replaceState(null, '', here.pathname + here.search + here.hash);
  return code;
}

// signedOut explains how to sign in.
export function signedOut(place, err, said) {
  document.title = 'Sign in · Gatehouse';
  document.body.classList.add('alone');
  put(place, el('div', { class: 'welcome card', id: 'signed-out' },
    el('img', { src: '/shared/mark.svg', alt: '', width: 48, height: 48 }),
    el('h1', { tabindex: -1 }, said ?? 'Sign in to Gatehouse'),
    err && problem(err),
    el('p', {}, 'On the machine where Gatehouse runs, or where you have signed in with the command line, ask for a link:'),
    el('pre', { class: 'command' }, 'gatehouse console'),
    el('p', { class: 'muted' }, 'Open the link in this browser. It works once, within ten minutes. If the command finds no server, give it the server’s data directory with --data DIR. To let someone else in, an administrator adds --subject user:NAME.'),
    el('p', {}, el('a', { href: '/reference/' }, 'Reference of the management API'))));
  place.querySelector("h1").focus();
}

// signOut ends the session on the server; the page then holds nothing.
export async function signOut(place) {
  await post('/v1/logout');
  signedOut(place, null, 'You are signed out');
}
