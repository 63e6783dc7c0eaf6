import { el, put, field, options } from '/shared/dom.js';
import { sheet } from '/shared/sheet.js';

// subscribe writes the command that subscribes to a plan. The key it prints is
// shown once, where it is used, and passes through no page.
export function subscribe(product, plan, environments) {
  sheet(`Subscribe to ${product}`, `Plan ${plan.name}`, () => {
    const app = el('input', { type: 'text', value: 'my-team/my-app', spellcheck: 'false', oninput: () => draw() });
    const environment = environments.length ? el('select', { onchange: () => draw() }, options(environments, environments.includes('dev') ? 'dev' : environments[0])) : el('input', { type: 'text', value: 'dev', oninput: () => draw() });
    const command = el('pre', { class: 'command', id: 'command' });
    const said = el('span', { class: 'muted', 'aria-live': 'polite' });
    const copy = async () => {
      try {
        await navigator.clipboard.writeText(command.textContent);
        put(said, 'Copied.');
      } catch {
        put(said, 'The browser does not allow it; select and copy by hand.');
      }
    };
    const draw = () => put(command, `gatehouse subscribe ${product} --plan ${plan.name} --app ${word(app.value)} --env ${word(environment.value)} --key`);
    draw();
    return [el('div', { class: 'row' }, field('Application (TEAM/NAME, made if it is new)', app), field('Environment', environment)), command, el('div', { class: 'row' }, el('button', { type: 'button', class: 'first', onclick: copy }, 'Copy'), said),
      el('p', { class: 'muted' }, plan.approval === 'automatic' ? 'The answer has your key, shown this once. Send it as X-API-Key with each request.'
        : 'The owning team decides first. Once it has approved, "gatehouse key create" gives you a key, shown once.')];
  });
}

// word is an argument as a shell takes it.
const word = (text) => (/^[\w./@:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
