// Who you are, the tokens of programs, who is told of what, and what is stored. What this service does not offer is said so, not hidden
// behind an error.
import { html, nothing, show, call, get, getOr, post, problem, gone, confirmed, copy, setTitle, say } from './app.js';
import { w, bytes, date } from './words.js';

const state = { who: null, tokens: null, subs: null, storage: null, fresh: null, secret: null, error: null, told: null };

async function act(what) {
  Object.assign(state, { error: null, told: null });
  try { await what(); } catch (e) { state.error = e; }
  draw();
}

const list = async (url, key) => { state[key] = (await getOr(url, null))?.results ?? null; };
const reload = () => Promise.all([list('/v1/tokens', 'tokens'), list('/v1/subscriptions', 'subs')]);

const signOut = () => act(async () => { await call('DELETE', '/v1/session'); location.assign('/sign-in'); });

const makeToken = e => {
  e.preventDefault();
  const form = e.target;
  return act(async () => {
    state.fresh = await post('/v1/tokens', { name: new FormData(form).get('name') });
    form.reset();
    await reload();
  });
};

const revoke = t => act(async () => {
  if (!await confirmed({ title: w.account.tokenRevoke(t.name), body: w.account.tokenRevokeBody, yes: w.delete })) return;
  await call('DELETE', `/v1/tokens/${t.id}`);
  await reload();
});

const makeSub = e => {
  e.preventDefault();
  const form = e.target, data = new FormData(form);
  return act(async () => {
    const types = data.get('types').split(/[\s,]+/).filter(Boolean);
    await post('/v1/subscriptions', { url: data.get('url'), ...(types.length ? { types } : {}) });
    form.reset();
    await reload();
  });
};

const test = s => act(async () => { await post(`/v1/subscriptions/${s.id}/test`); state.told = w.account.subTested; say(state.told); });
const removeSub = s => act(async () => { await call('DELETE', `/v1/subscriptions/${s.id}`); await reload(); });
const secret = () => act(async () => { state.secret = (await get('/v1/webhooks/default/secret')).key; });

function tokens() {
  if (state.tokens === null) return html`<p class="muted">${w.account.missing}</p>`;
  return html`${
      state.tokens.length
        ? html`<div class="scroll" tabindex="0" role="group" aria-label=${w.account.tokens}>
            <table>
              <thead>
                <tr>
                  <th scope="col">${w.account.name}</th>
                  <th scope="col">${w.account.created}</th>
                  <th scope="col">${w.account.expires}</th>
                  <td></td>
                </tr>
              </thead>
              <tbody>
                ${state.tokens.map(
                  t =>
                    html`<tr>
                      <th scope="row" dir="auto">${t.name}</th>
                      <td>${date(t.created_at ?? t.created)}</td>
                      <td>${(t.expires_at ?? t.expires) ? date(t.expires_at ?? t.expires) : w.account.never}</td>
                      <td>
                        <button
                          type="button"
                          class="small outline danger"
                          @click=${() => revoke(t)}
                          aria-label=${w.account.tokenRevoke(t.name)}
                        >
                          ${w.delete}
                        </button>
                      </td>
                    </tr>`,
                )}
              </tbody>
            </table>
          </div>`
        : html`<p class="muted">${w.account.tokensEmpty}</p>`
    }
    ${
      state.fresh
        ? html`<div class="note" role="status">
            <p>${w.account.tokenNew}</p>
            <label
              >${w.account.tokenValue}<input readonly .value=${state.fresh.token ?? state.fresh.key ?? ''} @focus=${e => e.target.select()}
            /></label>
            <button type="button" class="small" @click=${e => copy(state.fresh.token ?? state.fresh.key, e.currentTarget)}>
              ${w.copy}
            </button>
          </div>`
        : nothing
    }
    <form class="row" @submit=${makeToken}>
      <label>${w.account.tokenName}<input name="name" required maxlength="80" /></label
      ><button class="secondary">${w.account.tokenMake}</button>
    </form>`;
}

function subscriptions() {
  if (state.subs === null) return html`<p class="muted">${w.account.missing}</p>`;
  return html`${
      state.subs.length
        ? html`<ul>
            ${state.subs.map(
              s =>
                html`<li>
                  <span dir="auto">${s.url ?? s.target}</span> <small>${(s.types ?? []).join(', ') || w.account.subAll}</small>
                  <div class="row">
                    <button
                      type="button"
                      class="small outline secondary"
                      @click=${() => test(s)}
                      aria-label=${w.account.subTest(s.url ?? s.target)}
                    >
                      ${w.account.test}
                    </button>
                    <button
                      type="button"
                      class="small outline danger"
                      @click=${() => removeSub(s)}
                      aria-label=${w.account.subDelete(s.url ?? s.target)}
                    >
                      ${w.delete}
                    </button>
                  </div>
                </li>`,
            )}
          </ul>`
        : html`<p class="muted">${w.account.subsEmpty}</p>`
    }
    ${state.told ? html`<p class="good">${state.told}</p>` : nothing}
    <form class="row" @submit=${makeSub}>
      <label>${w.account.subUrl}<input name="url" type="url" required placeholder="https://" /></label
      ><label>${w.account.subTypes}<input name="types" placeholder="training.completed" /></label
      ><button class="secondary">${w.account.subMake}</button>
    </form>
    <p class="row">
      ${w.account.secretHelp}
      ${state.secret
        ? html`<code class="hash">${state.secret}</code>`
        : html`<button type="button" class="small outline secondary" @click=${secret}>${w.account.secretShow}</button>`}
    </p>`;
}

function draw() {
  show(
    html`<h1>${w.account.title}</h1>
      <div class="row apart">
        <p>${state.who?.username ? w.account.who(state.who.username) : nothing}</p>
        <button type="button" class="secondary outline" @click=${signOut}>${w.account.signOut}</button>
      </div>
      ${problem(state.error)}
      <section class="card" aria-labelledby="tokens">
        <h2 id="tokens">${w.account.tokens}</h2>
        ${tokens()}
      </section>
      <section class="card" aria-labelledby="subs">
        <h2 id="subs">${w.account.subs}</h2>
        ${subscriptions()}
      </section>
      ${
        state.storage
          ? html`<section class="card" aria-labelledby="storage">
              <h2 id="storage">${w.account.storage}</h2>
              <p><b>${bytes(state.storage.bytes)}</b></p>
              <ul class="facts">
                ${Object.entries(state.storage.kinds)
                  .filter(([, n]) => n)
                  .map(([kind, n]) => html`<li>${w.account.kinds[kind] ?? kind}: ${bytes(n)}</li>`)}
              </ul>
            </section>`
          : nothing
      }`,
  );
}

setTitle(w.account.title);
try {
  state.who = await getOr('/v1/account', null);
  await reload();
  draw();
  state.storage = await getOr('/v1/account/storage', null); // counted when asked: it may take longer than all the rest
  draw();
} catch (e) {
  if (e.status !== 401) show(gone(e));
}
