// The starter kit: a ready repository, taken away as one file.
import { el, put, field } from '/shared/dom.js';
import { path, post } from '/shared/api.js';
import { form } from '/shared/deed.js';
import { plural } from '/shared/format.js';
import { sheet } from '/shared/sheet.js';
import { tar } from '/shared/tar.js';

// kit asks for what the kit needs to know and hands it out.
export function kit(team, environments) {
  sheet('Starter kit', `Team ${team}`, () => {
    const address = el('input', { type: 'url', required: true, maxlength: 500, value: location.origin });
    const backends = environments.map((e) => [e, el('input', { type: 'url', placeholder: 'https://…', maxlength: 500 })]);
    const done = el('div', { 'aria-live': 'polite' });
    return [el('p', {}, 'A sample API with its backend and product, recipes for four CI systems, and a README written for this team. The service account that the pipeline acts as is made when there is none; its token is not part of the kit.'),
      form([field('Address of Gatehouse as pipelines reach it', address), ...backends.map(([e, input]) => field(`Where the sample’s requests go in ${e} (may stay empty)`, input))], 'Make the kit', async () => {
        const answer = await post(path('teams', team, 'kit'), { address: address.value, backends: Object.fromEntries(backends.filter(([, i]) => i.value).map(([e, i]) => [e, i.value])) });
        put(done, result(team, answer));
      }), done];
  });
}

function result(team, { files, serviceAccount, made }) {
  const names = Object.keys(files).sort();
  const address = URL.createObjectURL(tar(Object.fromEntries(names.map((n) => [`${team}-kit/${n}`, files[n]]))));
  return el('div', { class: 'notice good stack', id: 'kit' },
    el('p', {}, el('strong', {}, `${plural(names.length, 'file')}. `), `The pipeline acts as service account ${serviceAccount}${made ? ', which is new' : ''}. Give it a token, and keep that in the CI system’s secrets:`),
    el('pre', { class: 'command' }, `gatehouse token create --subject service-account:${serviceAccount} --name pipeline`),
    el('p', {}, el('a', { class: 'button first', href: address, download: `${team}-kit.tar` }, `Download ${team}-kit.tar`)),
    el('details', {}, el('summary', {}, 'What is in it'), el('ul', {}, names.map((n) => el('li', {}, el('details', {}, el('summary', { class: 'mono' }, n), el('pre', {}, files[n])))))));
}
