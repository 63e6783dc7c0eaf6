import { put } from './dom.js';

// sure asks once more, on the button itself, before what cannot be undone: the
// first press asks, the second within the same visit does it.
export function sure(button, question) {
  if (button.dataset.sure === 'yes') return true;
  const text = button.textContent;
  button.dataset.sure = 'yes';
  put(button, question);
  button.addEventListener('blur', () => {
    button.dataset.sure = '';
    put(button, text);
  }, { once: true });
  return false;
}
